"""A defect in deciding: answered as the operator said, counted, logged, and over with the next review."""

import json
from datetime import datetime

import pytest

from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict
from patchgate.policy.workload import Image
from patchgate.server.judge import OnError
from tests.conftest import API, SHOP, Answer, Doors, ask_app, change, make_doors

SPOILT = "registry.example.com/spoilt:1"
AS_JSON = {"Content-Type": "application/json"}
EVENT = "a defect of patchgate"


def decide_with_a_defect(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Verdict:
    if image.text == SPOILT:
        raise RuntimeError("a defect")
    return decide(image, snapshot, asker, now)


@pytest.fixture(params=list(OnError))
def doors(request: pytest.FixtureRequest) -> Doors:
    return make_doors(*SHOP, on_error=request.param, decide=decide_with_a_defect)


@pytest.fixture
def denying() -> Doors:
    return make_doors(*SHOP, on_error=OnError.DENY, decide=decide_with_a_defect)


@pytest.fixture
def allowing() -> Doors:
    return make_doors(*SHOP, on_error=OnError.ALLOW, decide=decide_with_a_defect)


def review(doors: Doors, image: str, mode: str = "enforce") -> Answer:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": image}]}}
    body = json.dumps(change("pod-create", uid=f"u-{image}", object=pod)).encode()
    return ask_app(doors.main, "POST", f"/validate/{mode}", body, headers=AS_JSON)


def ask(doors: Doors, *images: str) -> Answer:
    return ask_app(doors.main, "POST", "/v1/decisions", json.dumps({"images": images}).encode())


def test_a_failed_review_is_denied_by_default(denying: Doors) -> None:
    answer = review(denying, SPOILT)
    assert answer.status == 200
    assert answer.json["response"] == {
        "uid": f"u-{SPOILT}",
        "allowed": False,
        "status": {
            "code": 403,
            "reason": "InternalError",
            "message": "the object: patchgate failed to decide, its log says why",
        },
        "auditAnnotations": {
            "mode": "enforce",
            "decision": "deny",
            "reason": "InternalError",
            "images": "the object InternalError",
        },
    }


def test_a_failed_review_is_allowed_with_a_warning_where_the_operator_said_so(allowing: Doors) -> None:
    response = review(allowing, SPOILT).json["response"]
    assert response["allowed"] is True
    assert response["warnings"] == ["the object: patchgate failed to decide, its log says why"]
    assert response["auditAnnotations"]["reason"] == "InternalError"


@pytest.mark.parametrize(("mode", "warns"), [("warn", True), ("audit", False)])
def test_warn_and_audit_allow_a_failed_review_whatever_the_operator_said(doors: Doors, mode: str, warns: bool) -> None:
    response = review(doors, SPOILT, mode).json["response"]
    assert (response["allowed"], "warnings" in response, "status" in response) == (True, warns, False)
    assert response["auditAnnotations"]["reason"] == "InternalError"


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_failed_review_is_counted_and_logged_with_its_uid_and_cause(doors: Doors, mode: str) -> None:
    review(doors, SPOILT, mode)
    assert doors.count("patchgate_errors_total", where="review") == 1.0
    failures = [line for line in doors.logged if line["event"] == EVENT]
    assert [(line["level"], line["where"], line["uid"]) for line in failures] == [("error", "review", f"u-{SPOILT}")]
    assert "RuntimeError: a defect" in failures[0]["exception"]


def test_the_next_review_is_decided(doors: Doors) -> None:
    review(doors, SPOILT)
    assert review(doors, API).json["response"]["status"]["reason"] == "PatchAvailable"
    assert "status" not in review(doors, "busybox").json["response"]
    assert doors.count("patchgate_errors_total", where="review") == 1.0


@pytest.mark.parametrize(("on_error", "allowed"), [(OnError.DENY, False), (OnError.ALLOW, True)])
def test_a_failed_decision_is_answered_in_the_shape_of_one(on_error: OnError, allowed: bool) -> None:
    doors = make_doors(*SHOP, on_error=on_error, decide=decide_with_a_defect)
    answer = ask(doors, API, SPOILT)
    assert (answer.status, answer.json["allowed"], answer.json["reason"]) == (200, allowed, "InternalError")
    assert answer.json["message"]
    assert doors.count("patchgate_errors_total", where="decision") == 1.0
    assert [line["where"] for line in doors.logged] == ["decision"]
    assert ask(doors, API).json["reason"] == "PatchAvailable"


def test_a_clock_that_fails_is_a_defect_too_and_a_review_without_an_object_is_answered() -> None:
    def fail() -> datetime:
        raise OverflowError("out of time")

    doors = make_doors(*SHOP, clock=fail)
    body = json.dumps(change("pod-delete", uid="u-1", object=None, oldObject=None)).encode()
    response = ask_app(doors.main, "POST", "/validate/enforce", body, headers=AS_JSON).json["response"]
    assert (response["uid"], response["status"]["reason"]) == ("u-1", "InternalError")
    assert [line["object"] for line in doors.logged if line["event"] == "denied"] == [None]
