"""Questions made to keep the gate from answering others, or to be read as what they are not."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import API, SHOP, Answer, ask_app, make_gate_app
from tests.server.test_body import cut
from tests.server.test_review import JSON, PLACES, RECORDED, put

CAP = 7 * 1024 * 1024
APP = make_gate_app(*SHOP)
AS_JSON = {"Content-Type": "application/json"}
JUNK = "[" + "[]," * 2_400_000 + "[]]"
MANY_KEYS = "{" + ",".join(f'"k{number}":{{}}' for number in range(500_000)) + "}"
POD = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "busybox"}]}}
DECISIONS: dict[str, tuple[object, int]] = {
    "body": ("JUNK", 400),
    "unknown key": ({"images": ["busybox"], "x": "JUNK"}, 200),
    "namespace": ({"images": ["busybox"], "namespace": "JUNK"}, 400),
    "user's groups": ({"object": POD, "userInfo": {"groups": "JUNK"}}, 200),
    "object": ({"object": POD | {"x": "JUNK"}}, 200),
    "old object": ({"object": POD, "oldObject": POD | {"x": "JUNK"}}, 200),
    "managed fields": ({"object": POD | {"metadata": {"managedFields": "JUNK"}}}, 200),
    "spec": ({"object": POD | {"spec": {"x": "JUNK"}}}, 200),
    "another kind": ({"object": {"apiVersion": "example.com/v1", "kind": "Widget", "spec": "JUNK"}}, 200),
    "list": ({"object": {"apiVersion": "v1", "kind": "List", "items": "JUNK"}}, 400),
    "images": ({"images": "JUNK"}, 413),
    "image": ({"images": ["JUNK"]}, 400),
    "groups of images": ({"images": "KEYS"}, 413),
    "group of images": ({"images": {"containers": "KEYS"}}, 413),
    "item of images": ({"images": {"containers": {"web": {"reference": "busybox", "x": "JUNK"}}}}, 200),
}
GATEKEEPER: dict[str, tuple[object, int]] = {
    "body": ("JUNK", 400),
    "unknown key": ({"request": {"keys": ["busybox"]}, "x": "JUNK"}, 200),
    "request": ({"request": {"keys": ["busybox"], "x": "JUNK"}}, 200),
    "keys": ({"request": {"keys": "JUNK"}}, 413),
    "one key": ({"request": {"keys": ["JUNK"]}}, 400),
    "key's own text": ({"request": {"keys": ['{"image": "busybox", "x": "JUNK"}']}}, 200),
}


def ask(body: bytes, path: str = "/v1/decisions") -> Answer:
    return ask_app(APP, "POST", path, body)


def measure(question: object, path: str) -> tuple[int, int]:
    """Ask with the junk in its place. Gives the status, and the most bytes that were in use at a time."""
    text = json.dumps(question).replace('\\"JUNK\\"', JUNK).replace('"JUNK"', JUNK).replace('"KEYS"', MANY_KEYS)
    body = text.encode()
    assert 0.85 * CAP < len(body) <= CAP
    tracemalloc.start()
    try:
        return ask(body, path).status, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("question", "status"), DECISIONS.values(), ids=DECISIONS.keys())
def test_what_a_decision_does_not_want_is_never_built(question: object, status: int) -> None:
    """Two million lists are 150 MB, and a second in which no review is answered."""
    answered, most_bytes = measure(question, "/v1/decisions")
    assert answered == status
    assert most_bytes < 2 * CAP


@pytest.mark.parametrize(("question", "status"), GATEKEEPER.values(), ids=GATEKEEPER.keys())
def test_what_a_provider_does_not_want_is_never_built(question: object, status: int) -> None:
    answered, most_bytes = measure(question, "/v1/gatekeeper")
    assert answered == status
    assert most_bytes < 4 * CAP  # a key is a text, read anew


@pytest.mark.parametrize(
    "unread",
    [
        b"NaN",
        b"-Infinity",
        b"01",
        b"[1,]",
        b"{'a': 1}",
        b"1 // one",
        b'"\x00"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'{"\xff": 1}',
        b"[[1}",
    ],
)
def test_a_body_that_is_no_json_where_nobody_reads_it_is_refused(unread: bytes) -> None:
    pod = json.dumps(POD)[:-1].encode()
    for body in (b'{"images": [], "x": %b}' % unread, b'{"object": %b, "x": %b}}' % (pod, unread)):
        answer = ask(body)
        assert (answer.status, answer.json["allowed"], answer.json["reason"]) == (400, False, "BadRequest")
        assert answer.json["message"].startswith("body: ")


@pytest.mark.parametrize("body", [b'\xef\xbb\xbf{"images": []}', b'{"images": []}{}', b'{"images": ["\\udc00"]}', b""])
def test_a_body_that_is_no_json_by_what_is_around_or_in_it_is_refused(body: bytes) -> None:
    assert (ask(body).status, ask(body).json["allowed"]) == (400, False)


@pytest.mark.parametrize("unread", [b"1e999", b"9" * 5000, b'"\\ud83d\\ude00"'])
def test_json_that_only_python_could_not_build_is_passed_over(unread: bytes) -> None:
    assert ask(b'{"images": ["busybox"], "x": %b}' % unread).json["reason"] == "NotTracked"


@pytest.mark.parametrize(
    "body",
    [
        '{"images": ["busybox"], "images": ["API"]}',
        '{"images": null, "\\u0069mages": ["API"]}',
        '{"images": {"c": {"web": {"reference": "busybox"}}, "c": {"web": {"reference": "x", "reference": "API"}}}}',
        '{"object": null, "object": {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "API"}]}}}',
        '{"object": {"apiVersion": "v1", "kind": "", "\\u006bind": "Pod", "spec": {"containers": [{"image": "API"}]}}}',
        '{"object": {"apiVersion": "v1", "kind": "Pod", "spec": {}, "spec": {"containers": [{"image": "API"}]}}}',
        '{"object": {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"image": "x", "image": "API"}]}}}',
    ],
)
def test_a_key_that_comes_twice_counts_as_it_came_last(body: str) -> None:
    assert ask(body.replace('"API"', f'"{API}"').encode()).json["reason"] == "PatchAvailable"


# What both doors read alike: of an operation that nobody knows, one makes its default and the other a fault.
READ_ALIKE = {("request", key) for key in ("object", "oldObject", "userInfo")}
ASKED_ALIKE = [(name, path) for name, path in PLACES if path[:2] in READ_ALIKE]


def make_question(review: dict[str, Any]) -> bytes:
    """The question that asks what the review asks."""
    wanted = ("object", "oldObject", "operation", "userInfo", "namespace")
    return json.dumps({key: review["request"].get(key) for key in wanted}).encode()


@settings(max_examples=300)
@given(place=st.sampled_from(ASKED_ALIKE), new=JSON)
def test_a_question_with_anything_anywhere_is_allowed_only_where_the_review_is(
    place: tuple[str, tuple[str | int, ...]], new: object
) -> None:
    name, path = place
    review = put(RECORDED[name], path, new)
    asked = ask(make_question(review))
    reviewed = ask_app(APP, "POST", "/validate/enforce", json.dumps(review).encode(), headers=AS_JSON)
    assert asked.status in {200, 400}
    assert asked.json["reason"] != "InternalError"
    assert reviewed.json["response"]["allowed"] or not asked.json["allowed"]


@settings(max_examples=300)
@given(
    asked=st.binary().map(lambda body: ("/v1/decisions", body))
    | cut(make_question(RECORDED["pod-update-image"])).map(lambda body: ("/v1/decisions", body))
    | cut(b'{"images":{"containers":{"a":{"reference":"b"}}}}').map(lambda body: ("/v1/decisions", body))
    | cut(b'{"request":{"keys":["a","{\\"image\\":\\"b\\"}"]}}').map(lambda body: ("/v1/gatekeeper", body))
)
def test_no_bytes_at_all_are_a_defect_of_ours(asked: tuple[str, bytes]) -> None:
    path, body = asked
    answer = ask(body, path)
    assert answer.status in {200, 400}
    assert answer.json.get("reason") != "InternalError"
