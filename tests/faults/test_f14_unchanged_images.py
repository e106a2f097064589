"""F14: what changes no image is let through unseen, so that no running object is locked in by a verdict of today."""

import pytest

from tests.conftest import API_PATCHED, FRONTEND, WORKER, Gate, read_recorded


@pytest.mark.parametrize(
    "name",
    [
        "pod-update-label",
        "pod-status-update",
        "pod-remove-finalizer-while-deleting",
        "pod-resize",
        "pod-delete",
        "deployment-update-replicas",
        "deployment-scale",
    ],
)
def test_a_change_without_a_new_image_is_allowed_without_a_word(gate: Gate, name: str) -> None:
    response = gate.review(read_recorded(name)).json["response"]
    assert response["allowed"] is True
    assert "warnings" not in response


@pytest.mark.parametrize(
    ("name", "image"),
    [("pod-update-image", WORKER), ("deployment-update-image", API_PATCHED)],
)
def test_a_change_that_brings_an_image_is_judged(gate: Gate, name: str, image: str) -> None:
    review = read_recorded(name).replace(image.encode(), FRONTEND.encode())
    assert gate.review(review).json["response"]["status"]["reason"] == "SlaBreached"
