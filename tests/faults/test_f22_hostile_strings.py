"""F22: image strings that were made to be read wrongly: none is taken for an approved image, none breaks a line."""

import pytest

from tests.conftest import API, API_DIGEST, API_PATCHED, Gate, change
from tests.world import digest

APPROVED = f"{API.partition(':')[0]}@{API_DIGEST}"


def review(gate: Gate, image: str) -> dict[str, object]:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": image}]}}
    response: dict[str, object] = gate.review(change("pod-create", object=pod)).json["response"]
    return response


def status_of(gate: Gate, image: str) -> dict[str, str]:
    status = review(gate, image)["status"]
    assert isinstance(status, dict)
    return status


@pytest.mark.parametrize(
    "image",
    [
        "",
        " ",
        "a" * 4096,
        f"{API_PATCHED}\0",
        f"{API_PATCHED}\nbusybox",
        f" {API_PATCHED}",
        f"{APPROVED}@{digest('other')}",
        f"{API_PATCHED}@sha256:zz",
        "registry.example.com/MYAPP/api:1.4.2",
        "registry.еxample.com/myapp/api:1.4.2",  # noqa: RUF001 -- a Cyrillic letter is the point
        "registry.example.com//myapp/api:1.4.2",
        "registry.example.com/myapp/../myapp/api:1.4.2",
        "http://registry.example.com/myapp/api:1.4.2",
        "\u202eegami",
        "${IMAGE}",
        "{{ image }}",
    ],
)
def test_what_is_no_reference_is_refused_in_one_printable_line(gate: Gate, image: str) -> None:
    status = status_of(gate, image)
    assert status["reason"] == "InvalidReference"
    assert status["message"].isprintable()
    assert len(status["message"]) < 1000


@pytest.mark.parametrize(
    "image",
    [
        "REGISTRY.EXAMPLE.COM/myapp/api:1.4.2",
        "registry.example.com:443/myapp/api:1.4.2",
    ],
)
def test_another_spelling_of_the_same_registry_does_not_escape(gate: Gate, image: str) -> None:
    assert status_of(gate, image)["reason"] == "PatchAvailable"


@pytest.mark.parametrize(
    "image",
    [
        f"registry.example.com.evil.example/myapp/api@{API_DIGEST}",
        f"evil.example/registry.example.com/myapp/api@{API_DIGEST}",
        f"registry.example.com/myapp/api-evil@{API_DIGEST}",
    ],
)
def test_a_look_alike_has_no_approval_of_another(gate: Gate, image: str) -> None:
    answer = gate.ask("POST", "/v1/decisions", {"images": [image, APPROVED]}).json["images"]
    assert [each["reason"] for each in answer] == ["NotTracked", "Approved"]
