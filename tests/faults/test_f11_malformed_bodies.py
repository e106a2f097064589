"""F11: bodies that no kube-apiserver sends, and odd ones that it does: each is answered, with its uid if it has one."""

import json

import pytest

from tests.conftest import Gate, change, read_recorded

AS_JSON = {"Content-Type": "application/json"}
V1BETA1 = json.dumps({**change("pod-create"), "apiVersion": "admission.k8s.io/v1beta1"}).encode()
TWICE = read_recorded("pod-create").replace(b'"uid":', b'"uid":"first","uid":', 1)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        pytest.param(b"x" * (37 * 2**20 + 1), AS_JSON, 413, id="more than 37 MiB"),
        pytest.param(b"{", AS_JSON, 400, id="half of JSON"),
        pytest.param(b"\xff\xfe", AS_JSON, 400, id="no text"),
        pytest.param(b"[" * 100_000, AS_JSON, 400, id="deep"),
        pytest.param(b"null", AS_JSON, 400, id="null"),
        pytest.param(b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', AS_JSON, 400, id="no request"),
        pytest.param(V1BETA1, AS_JSON, 400, id="v1beta1"),
        pytest.param(read_recorded("pod-create"), {"Content-Type": "text/plain"}, 415, id="no JSON by its type"),
        pytest.param(read_recorded("pod-create"), {}, 415, id="no type"),
    ],
)
def test_what_is_no_review_is_refused_and_harms_nobody(
    gate: Gate, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = gate.ask("POST", "/validate/enforce?timeout=30s", body, headers)
    assert (answer.status, answer.json["allowed"]) == (status, False)
    assert "Traceback" not in answer.text
    assert gate.review(read_recorded("pod-create")).json["response"]["status"]["reason"] == "PatchAvailable"


@pytest.mark.parametrize(("obj", "allowed"), [(None, True), ({}, True), ([], False), ("x", False)])
def test_an_object_that_is_none_is_answered_with_its_uid(gate: Gate, obj: object, allowed: bool) -> None:
    response = gate.review(change("pod-create", uid="u-1", object=obj)).json["response"]
    assert (response["uid"], response["allowed"]) == ("u-1", allowed)


def test_a_deletion_has_no_object_and_is_allowed(gate: Gate) -> None:
    response = gate.review(read_recorded("pod-delete")).json["response"]
    assert response["allowed"] is True


def test_a_key_that_comes_twice_counts_as_it_came_last(gate: Gate) -> None:
    recorded = json.loads(read_recorded("pod-create"))["request"]["uid"]
    assert gate.review(TWICE).json["response"]["uid"] == recorded  # as Go's decoder has it
