"""F13: a body that comes too slowly for its caller's deadline is given up while the caller still listens."""

import json
from http.client import HTTPResponse

import pytest

from tests.conftest import Gate, read_recorded

BODY = read_recorded("pod-create")
HEAD = (
    b"POST /validate/enforce%%s HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
)


@pytest.mark.parametrize(("sent", "status"), [(0, 408), (100, 408), (500, 200)])
def test_a_body_that_stops_half_way_is_refused_by_its_uid_or_with_408_and_the_next_review_is_decided(
    gate: Gate, sent: int, status: int
) -> None:
    with gate.open_tls() as patient, gate.open_tls() as slow:
        slow.sendall(HEAD % b"?timeout=1s" + BODY[:sent])
        patient.sendall(HEAD % b"" + BODY[:sent])
        response = HTTPResponse(slow)
        response.begin()
        assert (response.status, response.getheader("connection")) == (status, "close")
        assert json.loads(response.read()).get("response", {"allowed": False})["allowed"] is False
        patient.sendall(BODY[sent:])  # where no deadline is named, the limit for any body holds: it still counts
        assert patient.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert gate.review(BODY).json["response"]["status"]["reason"] == "PatchAvailable"


def test_a_review_that_comes_whole_is_answered_whatever_its_deadline(gate: Gate) -> None:
    for timeout in ("10s", "30s", "0s", "x", ""):  # no deadline that a busy machine could miss
        answer = gate.ask("POST", f"/validate/enforce?timeout={timeout}", BODY, {"Content-Type": "application/json"})
        assert answer.json["response"]["status"]["reason"] == "PatchAvailable"
