"""F15: images in places that are easily overlooked, and kinds and subresources that nobody knows."""

from typing import Any

import pytest

from tests.conftest import API, Gate, change, read_recorded

GOOD = {"name": "good", "image": "busybox"}
BAD = {"name": "bad", "image": API}
PLACES: dict[str, dict[str, object]] = {
    "init container": {"containers": [GOOD], "initContainers": [BAD]},
    "ephemeral container": {"containers": [GOOD], "ephemeralContainers": [BAD]},
    "image volume": {"containers": [GOOD], "volumes": [{"name": "v", "image": {"reference": API}}]},
    "second container": {"containers": [GOOD, BAD]},
}


def reason(gate: Gate, review: object) -> str | None:
    return str(gate.review(review).json["response"].get("status", {}).get("reason", "allowed"))


def pod(spec: dict[str, object]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


@pytest.mark.parametrize("place", PLACES)
def test_an_image_is_judged_wherever_a_pod_has_it(gate: Gate, place: str) -> None:
    assert reason(gate, change("pod-create", object=pod(PLACES[place]))) == "PatchAvailable"
    assert reason(gate, change("pod-create", object=pod({"containers": [GOOD]}))) == "allowed"


def test_a_debug_container_is_judged(gate: Gate) -> None:
    review = read_recorded("pod-ephemeral-container").replace(b'"busybox:1.37"', f'"{API}"'.encode())
    assert gate.review(review).json["response"]["status"]["reason"] == "PatchAvailable"


def test_a_subresource_that_nobody_knows_is_judged_if_it_carries_a_pod(gate: Gate) -> None:
    spec = pod({"containers": [BAD]})
    assert reason(gate, change("pod-create", subResource="tomorrow", object=spec)) == "PatchAvailable"


def test_a_kind_that_has_no_images_is_allowed_whatever_it_holds(gate: Gate) -> None:
    foreign = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"containers": "none"}}
    assert reason(gate, change("pod-create", object=foreign)) == "allowed"
