"""Which bodies are reviews: everything else is 400; a review with a uid is answered, whatever else is in it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.errors import RequestError
from patchgate.server.review import read_review
from tests.conftest import SHOP, Gate, ask_app, change, make_gate_app, read_recorded

POD_CREATE: dict[str, Any] = json.loads(read_recorded("pod-create"))
REQUEST_UID = POD_CREATE["request"]["uid"]
REQUEST = {"uid": "u-1", "operation": "CREATE", "object": None}
NO_REVIEWS = {
    "empty": b"",
    "not JSON": b"kind: AdmissionReview",
    "an array": b"[" + read_recorded("pod-create") + b"]",
    "null": b"null",
    "nested too deeply": b"[" * 100_000,
    "nested too deeply inside": json.dumps(POD_CREATE)[:-1].encode() + b',"x":' + b"[" * 100_000,
    "v1beta1": json.dumps(POD_CREATE | {"apiVersion": "admission.k8s.io/v1beta1"}).encode(),
    "v1beta1 with a malformed Pod": json.dumps(
        change("pod-create", object={"apiVersion": "v1", "kind": "Pod", "spec": 1})
        | {"apiVersion": "admission.k8s.io/v1beta1"}
    ).encode(),
    "another kind": json.dumps(POD_CREATE | {"kind": "ConversionReview"}).encode(),
    "no version": json.dumps({"kind": "AdmissionReview", "request": REQUEST}).encode(),
    "no request": json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}).encode(),
    "a null request": json.dumps(POD_CREATE | {"request": None}).encode(),
    "a request that is text": json.dumps(POD_CREATE | {"request": "CREATE"}).encode(),
    "no uid": json.dumps(POD_CREATE | {"request": {"operation": "CREATE"}}).encode(),
    "an empty uid": json.dumps(change("pod-create", uid="")).encode(),
    "an empty uid with a malformed Pod": json.dumps(
        change("pod-create", uid="", object={"apiVersion": "v1", "kind": "Pod", "spec": 1})
    ).encode(),
    "a uid that is a number": json.dumps(change("pod-create", uid=5)).encode(),
    "a uid of 257 characters": json.dumps(change("pod-create", uid="u" * 257)).encode(),
    "a uid of 257 characters with a malformed Pod": json.dumps(
        change("pod-create", uid="u" * 257, object={"apiVersion": "v1", "kind": "Pod", "spec": 1})
    ).encode(),
    "a null uid": json.dumps(change("pod-create", uid=None)).encode(),
}
BROKEN = {
    "truncated": read_recorded("pod-create")[:-2],
    "followed by more": read_recorded("pod-create") + b"{}",
    "not UTF-8": read_recorded("pod-create").replace(b'"alice"', b'"\xff\xfe"'),
    "half a surrogate pair": read_recorded("pod-create").replace(b'"alice"', b'"\\ud800"'),
    "truncated when it is small": read_recorded("pod-create")[:500],
}
READABLE = {
    "an object that is text": change("pod-create", uid="u-1", object="api"),
    "an object that is a list": change("pod-create", uid="u-1", object=[]),
    "a null object": change("pod-create", uid="u-1", object=None),
    "a kind that is a list": change("pod-create", uid="u-1", object={"apiVersion": "v1", "kind": ["Pod"]}),
    "an old object that is text": change("pod-update-image", uid="u-1", oldObject="api"),
    "a user that is text": change("pod-create", uid="u-1", userInfo="alice"),
    "no operation": change("pod-create", uid="u-1", operation=None),
    "an operation not known": change("pod-create", uid="u-1", operation="PATCH"),
    "a namespace that is a number": change("pod-create", uid="u-1", namespace=5),
    "a minimum": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": REQUEST},
}
INTERNAL_NAMES = ["Traceback", "instance of", "pydantic", ".py", "_Review", "_Request", "_Envelope", "dict[", "list["]
APP = make_gate_app(*SHOP)
RECORDED: dict[str, dict[str, Any]] = {
    name: json.loads(read_recorded(name))
    for name in ("pod-create", "pod-update-image", "pod-ephemeral-container", "cronjob-create", "configmap-create")
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
@pytest.mark.parametrize("body", NO_REVIEWS.values(), ids=NO_REVIEWS.keys())
def test_what_is_no_review_is_a_bad_request(gate: Gate, body: bytes, mode: str) -> None:
    answer = gate.review(body, mode)
    assert answer.status == 400, answer.text
    assert answer.json.keys() == {"allowed", "reason", "message", "images"}
    assert (answer.json["allowed"], answer.json["reason"]) == (False, "BadRequest")
    assert [name for name in INTERNAL_NAMES if name in answer.text] == []


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_review_that_begins_as_one_is_refused_by_its_uid(gate: Gate, body: bytes, mode: str) -> None:
    answer = gate.review(body, mode)
    response = answer.json["response"]
    assert (answer.status, response["uid"], response["allowed"]) == (200, REQUEST_UID, mode != "enforce")
    assert [name for name in INTERNAL_NAMES if name in answer.text] == []


@pytest.mark.parametrize("review", READABLE.values(), ids=READABLE.keys())
def test_a_review_with_a_uid_is_answered_with_it(gate: Gate, review: object) -> None:
    answer = gate.review(review)
    assert answer.status == 200, answer.text
    assert answer.json["response"]["uid"] == "u-1"


@pytest.mark.parametrize("levels", [150, 300, 5000])
def test_a_pod_whose_managed_fields_are_nested_by_its_maker_is_not_let_in_unseen(gate: Gate, levels: int) -> None:
    nested = change("pod-create", uid="u-1")
    nested["request"]["object"]["metadata"]["managedFields"] = [{"fieldsType": "FieldsV1", "fieldsV1": "DEEP"}]
    fields = '{"f:a":' * levels + "{}" + "}" * levels
    body = json.dumps(nested, separators=(",", ":")).replace('"DEEP"', fields)
    assert body.startswith('{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1",')
    answer = gate.review(body.encode())
    response = answer.json["response"]
    assert (answer.status, response["uid"], response["allowed"]) == (200, "u-1", False)


def test_a_large_review_full_of_faults_is_denied_without_listing_them() -> None:
    """To list three million faults takes 4 GB; the process that reads it here has 1."""
    head = '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u-1","operation":"CREATE"'
    body = head + ',"object":{"apiVersion":"v1","kind":"Pod","spec":{"containers":[5' + ",5" * 3_500_000 + "]}}}}"
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "from patchgate.server.review import read_review\n"
        "review = read_review(sys.stdin.buffer.read())\n"
        "print(review.uid, review.fault)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=body.encode(), capture_output=True, check=False)
    assert done.stderr == b""
    assert done.stdout.startswith(b"u-1 cannot be read: ")
    assert len(done.stdout) < 100


@pytest.mark.parametrize("uid", ["ü", '"quoted"', "\\", "\x00", "\u2028", "😀", "{{ x }}", "u" * 256])
def test_a_uid_comes_back_as_it_was(gate: Gate, uid: str) -> None:
    assert gate.review(change("pod-delete", uid=uid)).json["response"]["uid"] == uid


def test_the_fault_of_a_body_says_where_it_is() -> None:
    with pytest.raises(RequestError, match=r"^not an AdmissionReview: request\.uid: must be a text$"):
        read_review(NO_REVIEWS["a uid that is a number"])


def test_a_review_is_read_with_all_that_a_verdict_looks_at() -> None:
    question = read_review(read_recorded("pod-ephemeral-container")).question
    assert question
    assert (question.operation, question.subresource) == ("UPDATE", "ephemeralcontainers")
    assert (question.namespace, question.username) == ("shop", "alice")


def test_a_review_without_a_user_has_none() -> None:
    question = read_review(json.dumps(change("pod-create", userInfo=None)).encode()).question
    assert question
    assert question.username is None


def list_places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in the JSON, but for managedFields, which nobody reads."""
    yield path
    steps: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        steps = [(key, inner) for key, inner in value.items() if key != "managedFields"]
    elif isinstance(value, list):
        steps = list(enumerate(value))
    for key, inner in steps:
        yield from list_places(inner, (*path, key))


def put(value: Any, path: tuple[str | int, ...], new: object) -> Any:  # noqa: ANN401 -- JSON
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


PLACES = [(name, path) for name, review in RECORDED.items() for path in list_places(review)]


@settings(max_examples=300)
@given(place=st.sampled_from(PLACES), new=JSON)
def test_a_review_with_anything_anywhere_is_answered_by_its_uid_or_refused(
    place: tuple[str, tuple[str | int, ...]], new: object
) -> None:
    name, path = place
    review = put(RECORDED[name], path, new)
    body = json.dumps(review).encode()
    answer = ask_app(APP, "POST", "/validate/enforce", body, headers={"Content-Type": "application/json"})
    uid = review["request"]["uid"] if len(path) > 1 else None
    is_readable = isinstance(uid, str) and uid != "" and path not in {("kind",), ("apiVersion",)}
    assert answer.status == (200 if is_readable else 400)
    assert answer.json.get("response", {}).get("uid") == (uid if is_readable else None)
