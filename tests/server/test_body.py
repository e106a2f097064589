"""What of a request's body is taken: its size, its type, its packing; and that no bytes at all end in a 500."""

import gzip
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SHOP, Gate, ask_app, make_gate_app, read_recorded

CAP = 7 * 1024 * 1024
REVIEW_CAP = 37 * 1024 * 1024
REVIEWS = ["/validate/enforce", "/validate/warn", "/validate/audit"]
CAPS = [("/v1/decisions", CAP), *((path, REVIEW_CAP) for path in REVIEWS)]
DOORS = ["/validate/enforce", "/validate/warn", "/validate/audit", "/v1/decisions"]
AS_JSON = {"Content-Type": "application/json"}
APP = make_gate_app(*SHOP)


def blanks(size: int) -> Iterator[bytes]:
    """A body of spaces in chunks, of which nobody knows the length before its end."""
    for _ in range(size // 2**20):
        yield b" " * 2**20
    yield b" " * (size % 2**20)


@pytest.mark.parametrize(("path", "cap"), CAPS)
def test_a_body_over_its_limit_is_too_large(gate: Gate, path: str, cap: int) -> None:
    answer = gate.ask("POST", path, b" " * (cap + 1), AS_JSON)
    assert (answer.status, answer.json["reason"]) == (413, "RequestEntityTooLarge")


@pytest.mark.parametrize(("path", "cap"), CAPS)
def test_a_chunked_body_over_its_limit_is_too_large(gate: Gate, path: str, cap: int) -> None:
    assert gate.ask("POST", path, blanks(cap + 1), AS_JSON).status == 413


def test_a_question_that_declares_more_than_its_limit_is_refused_before_it_comes(gate: Gate) -> None:
    assert gate.ask("POST", "/v1/decisions", None, AS_JSON | {"Content-Length": str(CAP + 1)}).status == 413


@pytest.mark.parametrize("body", [b" " * (CAP - 4096) + b"%s", b"%s" + b" " * (CAP - 4096)])
def test_a_body_just_within_the_cap_is_read(gate: Gate, body: bytes) -> None:
    question = json.dumps({"images": ["busybox:1.37"]}).encode()
    assert gate.ask("POST", "/v1/decisions", body % question).json["reason"] == "NotTracked"


def test_a_chunked_review_is_read_whole(gate: Gate) -> None:
    body = read_recorded("pod-create")
    answer = gate.ask("POST", "/validate/enforce", iter([body[:100], body[100:]]), AS_JSON)
    assert answer.json["response"]["status"]["reason"] == "PatchAvailable"


@pytest.mark.parametrize("path", DOORS)
def test_a_caller_that_goes_away_half_way_is_no_defect(path: str) -> None:
    answer = ask_app(APP, "POST", path, b"{", b"", headers=AS_JSON)
    assert (answer.status, answer.json["message"]) == (400, "the body ended early")


@pytest.mark.parametrize("length", ["-1", "seven", "", str(CAP)])
def test_a_length_that_says_nothing_is_passed_over(length: str) -> None:
    body = json.dumps({"images": []}).encode()
    assert ask_app(APP, "POST", "/v1/decisions", body, headers={"Content-Length": length}).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/yaml"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": ""},
    ],
)
@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_review_that_does_not_say_it_is_json_is_not_taken(gate: Gate, headers: dict[str, str], mode: str) -> None:
    answer = gate.ask("POST", f"/validate/{mode}", read_recorded("pod-create"), headers)
    assert (answer.status, answer.json["reason"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("text", ["application/json; charset=utf-8", "Application/JSON", " application/json ;x=y"])
def test_parameters_and_case_of_the_content_type_do_not_matter(gate: Gate, text: str) -> None:
    answer = gate.ask("POST", "/validate/enforce", read_recorded("pod-create"), {"Content-Type": text})
    assert answer.status == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate, gzip"])
@pytest.mark.parametrize("path", DOORS)
def test_a_packed_body_is_not_taken(gate: Gate, coding: str, path: str) -> None:
    body = gzip.compress(read_recorded("pod-create"))
    assert gate.ask("POST", path, body, AS_JSON | {"Content-Encoding": coding}).status == 415


def test_a_body_said_to_be_packed_as_it_is_is_taken(gate: Gate) -> None:
    headers = AS_JSON | {"Content-Encoding": "identity"}
    assert gate.ask("POST", "/validate/enforce", read_recorded("pod-create"), headers).status == 200


def cut(body: bytes) -> st.SearchStrategy[bytes]:
    """The body with a stretch of it replaced by any bytes."""
    places = st.integers(0, len(body))
    return st.builds(
        lambda start, length, new: body[:start] + new + body[start + length :], places, places, st.binary()
    )


@settings(max_examples=300)
@given(
    body=st.binary() | cut(read_recorded("pod-create")) | cut(b'{"images":{"containers":{"a":{"reference":"b"}}}}'),
    path=st.sampled_from(DOORS),
    content_type=st.sampled_from(["application/json", "text/plain"]),
)
def test_any_bytes_get_an_answer_in_json(body: bytes, path: str, content_type: str) -> None:
    answer = ask_app(APP, "POST", path, *([body] if body else []), headers={"Content-Type": content_type})
    assert answer.status in {200, 400, 415}
    assert isinstance(answer.json, dict)
