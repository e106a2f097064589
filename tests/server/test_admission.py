"""The admission door over a real socket, with what kube-apiserver 1.37.2 sent (tests/fixtures/reviews)."""

import json

import pytest

from tests.conftest import API, API_DIGEST, API_PATCHED, FRONTEND, REVIEWS, WORKER, Gate, change, read_recorded

MODES = ["enforce", "warn", "audit"]
VERDICTS = {
    "configmap-create": "allowed",
    "cronjob-create": "warned",
    "daemonset-create": "allowed",
    "deployment-create": "PatchAvailable",
    "deployment-create-server-side-apply": "PatchAvailable",
    "deployment-delete": "allowed",
    "deployment-scale": "allowed",
    "deployment-update-image": "allowed",
    "deployment-update-replicas": "allowed",
    "job-by-cronjob-controller": "warned",
    "job-create": "warned",
    "pod-by-daemonset-controller": "allowed",
    "pod-by-job-controller": "warned",
    "pod-by-replicaset-controller": "warned",
    "pod-by-replication-controller": "SlaBreached",
    "pod-by-statefulset-controller": "warned",
    "pod-create": "PatchAvailable",
    "pod-create-approved": "allowed",
    "pod-create-init-and-image-volume": "SlaBreached",
    "pod-create-long-image": "InvalidReference",
    "pod-create-newline-in-image": "InvalidReference",
    "pod-create-nul-in-image": "InvalidReference",
    "pod-delete": "allowed",
    "pod-delete-by-garbage-collector": "allowed",
    "pod-delete-by-kubelet": "allowed",
    "pod-delete-by-replicaset-controller": "allowed",
    "pod-delete-collection": "allowed",
    "pod-delete-graceful": "allowed",
    "pod-dry-run": "PatchAvailable",
    "pod-ephemeral-container": "allowed",
    "pod-remove-finalizer-by-job-controller": "allowed",
    "pod-remove-finalizer-while-deleting": "allowed",
    "pod-resize": "allowed",
    "pod-status-update": "allowed",
    "pod-update-image": "warned",
    "pod-update-label": "allowed",
    "replicaset-by-deployment-controller": "warned",
    "replicaset-scaled-by-deployment-controller": "allowed",
    "replicationcontroller-create": "SlaBreached",
    "statefulset-create": "PatchAvailable",
}
"""Recording → denied for this reason, or allowed with or without a warning."""
REFUSED = sorted(name for name, verdict in VERDICTS.items() if verdict not in {"allowed", "warned"})
MALFORMED_PODS: list[object] = [
    "a Pod",
    ["a", "Pod"],
    {"apiVersion": "v1", "kind": "Pod", "spec": "none"},
    {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": "api"}},
    {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [None]}},
    {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": 5}]}},
    {"apiVersion": "v1", "kind": "Pod", "spec": {"volumes": [{"image": "api"}]}},
    {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": []}},
    {"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": 1}}}},
]
STRANGERS: list[object] = [
    {"apiVersion": "example.com/v1", "kind": "Widget", "spec": "small"},
    {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"containers": 5}},
    {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"template": "t"}},
    {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "spec": {"template": 5}},
    {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "spec": {"template": {"spec": {"containers": []}}}},
    {"apiVersion": "serving.knative.dev/v1", "kind": "Deployment", "spec": {"containers": [{"image": API}]}},
]


def judge(gate: Gate, review: object, mode: str = "enforce") -> dict[str, object]:
    """The response of the answer, which is a whole AdmissionReview."""
    answer = gate.review(review, mode)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json.keys() == {"apiVersion", "kind", "response"}
    assert (answer.json["apiVersion"], answer.json["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    response: dict[str, object] = answer.json["response"]
    assert response.keys() <= {"uid", "allowed", "status", "warnings", "auditAnnotations"}  # never a patch
    return response


def test_every_recording_has_its_verdict_here() -> None:
    assert {file.stem for file in REVIEWS.glob("*.json")} == VERDICTS.keys()


@pytest.mark.parametrize("name", VERDICTS)
def test_enforce_answers_a_recorded_review_with_its_uid_and_verdict(gate: Gate, name: str) -> None:
    body = read_recorded(name)
    response = judge(gate, body)
    assert response["uid"] == json.loads(body)["request"]["uid"]
    status = response.get("status")
    if isinstance(status, dict):
        assert (response["allowed"], status["code"], status["reason"]) == (False, 403, VERDICTS[name])
        assert status["message"]
    else:
        assert (response["allowed"], "warned" if "warnings" in response else "allowed") == (True, VERDICTS[name])


@pytest.mark.parametrize("mode", ["warn", "audit"])
@pytest.mark.parametrize("name", VERDICTS)
def test_warn_and_audit_allow_every_recorded_review(gate: Gate, mode: str, name: str) -> None:
    response = judge(gate, read_recorded(name), mode)
    assert response["allowed"] is True
    assert "status" not in response
    assert ("warnings" in response) == (mode == "warn" and VERDICTS[name] != "allowed")


@pytest.mark.parametrize("name", REFUSED)
def test_warn_says_what_enforce_would_refuse_in_short_printable_lines(gate: Gate, name: str) -> None:
    warnings = judge(gate, read_recorded(name), "warn")["warnings"]
    assert isinstance(warnings, list)
    assert 1 <= len(warnings) <= 10
    assert [line for line in warnings if len(line) > 120 or not line.isprintable()] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", REFUSED)
def test_every_mode_annotates_what_the_table_refuses(gate: Gate, mode: str, name: str) -> None:
    annotations = judge(gate, read_recorded(name), mode)["auditAnnotations"]
    assert isinstance(annotations, dict)
    assert annotations.keys() == {"mode", "decision", "reason", "images"}
    assert (annotations["mode"], annotations["decision"]) == (mode, "deny")
    assert annotations["reason"] == VERDICTS[name]


def test_an_allowed_review_is_not_annotated(gate: Gate) -> None:
    assert judge(gate, read_recorded("pod-create-approved")).keys() == {"uid", "allowed"}


def test_a_denial_names_the_patched_reference_with_its_digest(gate: Gate) -> None:
    assert judge(gate, read_recorded("pod-create"))["status"] == {
        "code": 403,
        "reason": "PatchAvailable",
        "message": f"{API}: a patched image is available; use {API_PATCHED}@{API_DIGEST}",
    }


def test_the_reference_that_a_denial_names_is_allowed(gate: Gate) -> None:
    review = read_recorded("pod-create").replace(f'"{API}"'.encode(), f'"{API_PATCHED}@{API_DIGEST}"'.encode())
    assert judge(gate, review)["allowed"] is True


@pytest.mark.parametrize("name", ["long-image", "newline-in-image", "nul-in-image"])
def test_a_hostile_image_is_refused_with_a_message_that_can_be_printed(gate: Gate, name: str) -> None:
    status = judge(gate, read_recorded(f"pod-create-{name}"))["status"]
    assert isinstance(status, dict)
    assert status["reason"] == "InvalidReference"
    assert status["message"].isprintable()
    assert len(status["message"]) < 400


def test_an_ephemeral_container_is_judged(gate: Gate) -> None:
    review = read_recorded("pod-ephemeral-container").replace(b'"busybox:1.37"', f'"{API}"'.encode())
    status = judge(gate, review)["status"]
    assert isinstance(status, dict)
    assert status["reason"] == "PatchAvailable"


def test_init_containers_and_image_volumes_are_judged(gate: Gate) -> None:
    response = judge(gate, read_recorded("pod-create-init-and-image-volume"))
    status, warnings = response["status"], response["warnings"]
    assert isinstance(status, dict)
    assert isinstance(warnings, list)
    assert status["message"].startswith(f"{FRONTEND}: not approved within 24 h of ")
    assert [line.partition(": not approved yet")[0] for line in warnings] == [WORKER]


def test_an_exception_of_the_namespace_allows_warns_and_is_annotated(gate: Gate) -> None:
    response = judge(gate, change("replicationcontroller-create", namespace="staging"))
    annotations, warnings = response["auditAnnotations"], response["warnings"]
    assert isinstance(annotations, dict)
    assert isinstance(warnings, list)
    assert response["allowed"] is True
    assert annotations.keys() == {"excepted"}
    assert annotations["excepted"].endswith("vendor fix (platform@example.com)")
    assert len(warnings) == 1


@pytest.mark.parametrize("obj", MALFORMED_PODS)
def test_an_object_with_a_malformed_pod_is_refused_with_its_uid(gate: Gate, obj: object) -> None:
    response = judge(gate, change("pod-create", uid="u-1", object=obj))
    status = response["status"]
    assert isinstance(status, dict)
    assert (response["uid"], status["code"], status["reason"]) == ("u-1", 403, "InvalidObject")


@pytest.mark.parametrize("obj", MALFORMED_PODS)
def test_warn_lets_a_malformed_pod_through_with_a_warning(gate: Gate, obj: object) -> None:
    response = judge(gate, change("pod-create", object=obj), "warn")
    warnings = response["warnings"]
    assert response["allowed"] is True
    assert isinstance(warnings, list)
    assert len(warnings) == 1


@pytest.mark.parametrize("unseen", [{"operation": "DELETE"}, {"subResource": "status"}, {"object": None}])
def test_what_is_not_looked_at_is_allowed_though_it_cannot_be_read(gate: Gate, unseen: dict[str, object]) -> None:
    review = change("pod-create", **({"uid": "u-3", "object": MALFORMED_PODS[2], "oldObject": "a Pod"} | unseen))
    assert judge(gate, review) == {"uid": "u-3", "allowed": True}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("obj", STRANGERS)
def test_an_object_of_a_foreign_kind_is_allowed_whatever_it_holds(gate: Gate, mode: str, obj: object) -> None:
    assert judge(gate, change("pod-create", uid="u-2", object=obj), mode) == {"uid": "u-2", "allowed": True}


@pytest.mark.parametrize(
    "path", ["/validate/", "/validate/deny", "/validate/Enforce", "/validate/enforce/", "/validate/deny/enforce"]
)
def test_an_unknown_mode_is_not_found(gate: Gate, path: str) -> None:
    answer = gate.ask("POST", path, read_recorded("pod-create"), {"Content-Type": "application/json"})
    assert answer.status == 404
    assert (answer.json["allowed"], answer.json["reason"]) == (False, "NotFound")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("mode", MODES)
def test_only_post_is_allowed(gate: Gate, method: str, mode: str) -> None:
    answer = gate.ask(method, f"/validate/{mode}", None, {"Content-Type": "application/json"})
    assert (answer.status, answer.headers["allow"], answer.json["allowed"]) == (405, "POST", False)


@pytest.mark.parametrize("name", ["pod-create", "configmap-create", "pod-delete"])
@pytest.mark.parametrize("mode", MODES)
def test_a_review_before_the_first_list_is_told_to_come_again(cold_gate: Gate, mode: str, name: str) -> None:
    answer = cold_gate.review(read_recorded(name), mode)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert answer.json == {
        "allowed": False,
        "reason": "NotReady",
        "message": "not ready: the main image list has not been read yet",
        "images": [],
    }
