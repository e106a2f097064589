"""S5: the largest review that a kube-apiserver can send is read; a larger one is refused by its uid, never let in."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attacks.conftest import LimitedGateRunner
from tests.attacks.hold_bodies import LARGEST_BYTES
from tests.conftest import API, Answer, Gate, change, read_recorded

OBJECT_BYTES = 3 * 2**20
"""What kube-apiserver takes of an object from a client (k8s.io/apiserver, MaxRequestBodyBytes)."""
HONEST_AT_ONCE = 400


def write_update(sign: str, number: int) -> bytes:
    """An UPDATE of a Pod to an unpatched image, old and new with so many of a sign in `args`, as Go writes it."""

    def make(image: str) -> dict[str, object]:
        container = {"name": "main", "image": image, "args": ["ARGS"]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": [container]}}

    review = change("pod-update-image", object=make(API), oldObject=make("busybox"))
    request = {"uid": review["request"].pop("uid"), **review["request"]}
    ordered = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": request}
    text = json.dumps(ordered, separators=(",", ":"))
    return text.replace("ARGS", sign * number).encode()


@pytest.mark.parametrize("sign", ["\\u003c", "\\u0026", "x"], ids=["<", "&", "x"])
def test_the_largest_review_of_a_kube_apiserver_is_read(run_limited: LimitedGateRunner, sign: str) -> None:
    body = write_update(sign, OBJECT_BYTES - 1000)
    assert len(body) <= LARGEST_BYTES
    with run_limited() as limited:
        response = limited.gate.review(body).json["response"]
        assert (response["allowed"], response["status"]["reason"]) == (False, "PatchAvailable")


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_larger_one_is_refused_by_its_uid(run_limited: LimitedGateRunner, mode: str, is_chunked: bool) -> None:
    body = write_update("\\u003c", OBJECT_BYTES + 200_000)
    assert len(body) > LARGEST_BYTES
    with run_limited() as limited:
        answer = ask_large(limited.gate, body, mode, is_chunked=is_chunked)
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        response = answer.json["response"]
        assert response["uid"] == json.loads(read_recorded("pod-update-image"))["request"]["uid"]
        assert response["allowed"] is (mode != "enforce")
        if mode == "enforce":
            assert "38797312 bytes" in response["status"]["message"]
        elif mode == "warn":
            assert "38797312 bytes" in response["warnings"][0]


def ask_large(gate: Gate, body: bytes, mode: str, *, is_chunked: bool) -> Answer:
    pieces = iter([body[start : start + 2**20] for start in range(0, len(body), 2**20)])
    headers = {"Content-Type": "application/json"}
    return gate.ask("POST", f"/validate/{mode}?timeout=30s", pieces if is_chunked else body, headers)


def test_of_two_that_do_not_fit_together_one_is_refused_by_its_uid_and_none_is_let_in(
    run_limited: LimitedGateRunner,
) -> None:
    body = write_update("\\u003c", OBJECT_BYTES - 1000)
    with run_limited() as limited, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: limited.gate.review(body), range(6)))
    responses = [answer.json["response"] for answer in answers]
    assert [answer.status for answer in answers] == [200] * len(answers)
    assert not [response for response in responses if response["allowed"]]
    assert {response["status"]["reason"] for response in responses} <= {"PatchAvailable", "InvalidObject"}


def test_of_many_honest_reviews_of_one_address_none_is_refused(run_limited: LimitedGateRunner) -> None:
    ready = threading.Barrier(HONEST_AT_ONCE)

    def ask(_: int) -> Answer:
        ready.wait()
        return limited.gate.review(read_recorded("pod-create-approved"))

    with run_limited() as limited, ThreadPoolExecutor(HONEST_AT_ONCE) as pool:
        answers = list(pool.map(ask, range(HONEST_AT_ONCE)))
        assert [answer.json["response"]["allowed"] for answer in answers] == [True] * HONEST_AT_ONCE
        assert limited.gate.metric("patchgate_connections_gave_way_total") == 0
