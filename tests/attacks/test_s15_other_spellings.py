"""S15: another spelling of a refused image's registry, or a name without one, runs it as if it were not tracked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import run_patchgate
from tests.conftest import Gate, GateRunner, write_configmaps
from tests.world import hours_ago, image_list, record, records

BREACHED = ("10.0.0.5:5000/x:1", "[2001:db8::5]/x:1", "registry.example.com/x:1", "docker.io/library/nginx:1")
RECORDS = records({image: record(first_vulnerable=hours_ago(72)) for image in BREACHED})
UBI = "registry.access.redhat.com/ubi8:8.4"


def write_world(directory: Path, **policy: str) -> Path:
    return write_configmaps(directory, image_list(*BREACHED, "nginx:2", **policy), RECORDS)


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[Gate]:
    with self_signed(write_world(tmp_path_factory.mktemp("world"))) as running:
        yield running


@pytest.fixture(scope="module", params=["deny", "warn"])
def strict_gate(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner
) -> Iterator[tuple[str, Gate]]:
    with self_signed(write_world(tmp_path_factory.mktemp("world"), unqualified=request.param)) as running:
        yield request.param, running


def ask(gate: Gate, image: str, kind: str = "Pod") -> dict[str, Any]:
    """The response to a review that creates a Pod, or a Deployment, of the image."""
    pod = {"containers": [{"name": "x", "image": image}]}
    is_pod = kind == "Pod"
    obj = {
        "apiVersion": "v1" if is_pod else "apps/v1",
        "kind": kind,
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": pod if is_pod else {"template": {"spec": pod}},
    }
    request = {"uid": "1", "operation": "CREATE", "namespace": "shop", "object": obj, "oldObject": None}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    response: dict[str, Any] = gate.review(review).json["response"]
    return response


@pytest.mark.parametrize(
    "image",
    [
        "[::ffff:a00:5]:5000/x:1",
        "[::FFFF:0A00:0005]:5000/x:1",
        "[0:0:0:0:0:ffff:a00:5]:05000/x:1",
        "[2001:DB8:0:0:0:0:0:5]:443/x:1",
        "[2001:0db8:0000:0000:0000:0000:0000:0005]/x:1",
        "Registry.EXAMPLE.com:0443/x:1",
        "INDEX.docker.io/nginx:1",
        "registry-1.docker.io:443/library/nginx:1",
        "nginx:1",
    ],
)
def test_every_spelling_that_reaches_the_same_registry_is_refused(gate: Gate, image: str) -> None:
    response = ask(gate, image)
    assert (response["allowed"], response["status"]["reason"]) == (False, "SlaBreached")


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.com./x:1",
        "010.0.0.5:5000/x:1",
        "10.5:5000/x:1",
        "0xa000005:5000/x:1",
        "167772165:5000/x:1",
        "[fe80::5%eth0]:5000/x:1",
        "[::ffff:10.0.0.5]:5000/x:1",
    ],
)
def test_what_only_some_nodes_would_resolve_is_no_reference(gate: Gate, image: str) -> None:
    response = ask(gate, image)
    assert (response["allowed"], response["status"]["reason"]) == (False, "InvalidReference")


@pytest.mark.parametrize("kind", ["Pod", "Deployment"])
@pytest.mark.parametrize("image", ["ubi8:8.4", "ubi8", "team/app:1", f"ubi8@sha256:{'a' * 64}"])
def test_a_name_without_a_registry_is_what_the_policy_makes_of_it(
    strict_gate: tuple[str, Gate], gate: Gate, image: str, kind: str
) -> None:
    effect, strict = strict_gate
    response = ask(strict, image, kind)
    said = response["status"]["message"] if effect == "deny" else response["warnings"][0]
    assert response["allowed"] is (effect == "warn")
    assert ": names no registry, so each node chooses one: write its registry, docker.io/" in said
    assert ask(gate, image, kind) == {"uid": "1", "allowed": True}
    assert ask(strict, UBI, kind) == {"uid": "1", "allowed": True}


def test_a_warning_about_its_name_lets_no_refused_image_in(strict_gate: tuple[str, Gate]) -> None:
    effect, strict = strict_gate
    reason = ask(strict, "nginx:1")["status"]["reason"]
    assert reason == ("Unqualified" if effect == "deny" else "SlaBreached")


def test_the_command_line_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = ("--source", str(write_world(tmp_path, unqualified="deny")))
    line = "copa-image-list: line 5: names no registry: it is read as docker.io/library/nginx:2; write that"
    code, out, err = run_patchgate(capsys, "check", *source, "ubi8:8.4")
    assert (code, line in err) == (1, True)
    assert "Unqualified" in out
    code, out, _ = run_patchgate(capsys, "explain", *source, "ubi8:8.4")
    assert (code, "unqualified: deny" in out) == (1, True)
    _, _, err = run_patchgate(capsys, "report", *source)
    assert line in err
