"""Static bytes: the same for every review, or with its uid where kube-apiserver wants it back."""

import json

from loadtest.peers.static import answer, answer_with_uid
from tests.conftest import ask_app, read_recorded

UID = "22910c99-a1e7-494a-8bc6-e676422328c3"


def test_the_bytes_are_an_answer() -> None:
    given = ask_app(answer, "POST", "/", b"{}")
    assert given.json["response"] == {"uid": UID, "allowed": True}
    assert given.headers["content-length"] == str(len(given.body))


def test_the_uid_is_the_reviews() -> None:
    review = json.loads(read_recorded("pod-create"))
    review["request"]["uid"] = "00000000-1111-2222-3333-444444444444"
    text = json.dumps(review, separators=(",", ":")).encode()
    given = ask_app(answer_with_uid, "POST", "/", text[:100], text[100:])
    assert given.json["response"] == {"uid": "00000000-1111-2222-3333-444444444444", "allowed": True}
    assert given.headers["content-length"] == str(len(given.body))
