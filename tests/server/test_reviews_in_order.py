"""Reviews one after the other on a connection: in their order, however they come and whatever is between them."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from patchgate.server.life import Life
from tests.conftest import SHOP, Served, make_gate_app, read_recorded, serve_here, wait_until

REVIEW = read_recorded("pod-create")
WHOLE = (
    b"POST /validate/enforce?timeout=30s HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(REVIEW), REVIEW)
)
HEAD_BYTES = len(WHOLE) - len(REVIEW)
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"


@pytest.fixture
def served() -> Iterator[Served]:
    with serve_here(make_gate_app(*SHOP), Life(0)) as running:
        yield running


@pytest.fixture
def connection(served: Served) -> Iterator[socket.socket]:
    """A connection on which a review was answered."""
    with served.open() as opened:
        opened.sendall(WHOLE)
        read_bodies(opened, 1)
        yield opened


def read_bodies(connection: socket.socket, number: int) -> list[bytes]:
    """Read so many answers with status 200 and not a byte more: their bodies."""
    return [_read_body(connection) for _ in range(number)]


def _read_body(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert head.startswith(b"HTTP/1.1 200 "), head
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return body


def with_uid(uid: bytes) -> bytes:
    """The review under another uid of the same length: its head is the same."""
    known = json.loads(REVIEW)["request"]["uid"].encode()
    assert len(uid) == len(known)
    return WHOLE.replace(known, uid)


def list_uids(bodies: list[bytes]) -> list[str]:
    return [json.loads(body)["response"]["uid"] for body in bodies]


@pytest.mark.parametrize(
    "cuts",
    [[], [10], [HEAD_BYTES], [HEAD_BYTES + 1], [HEAD_BYTES + 9, HEAD_BYTES + 99], [HEAD_BYTES - 2, len(WHOLE) - 1]],
)
def test_a_second_review_gets_the_same_answer_however_its_review_comes(
    served: Served, connection: socket.socket, cuts: list[int]
) -> None:
    connection.sendall(WHOLE)
    usual = read_bodies(connection, 1)
    for start, end in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True):
        connection.sendall(WHOLE[start:end])
        served.tell(lambda: None)
    assert read_bodies(connection, 1) == usual


@pytest.mark.parametrize("number", [2, 40, 2000])
def test_reviews_one_behind_the_other_are_answered_in_their_order(connection: socket.socket, number: int) -> None:
    uids = [b"%036d" % each for each in range(number)]
    for start in range(0, number, 40):
        connection.sendall(b"".join(map(with_uid, uids[start : start + 40])))
        assert list_uids(read_bodies(connection, min(40, number))) == [
            each.decode() for each in uids[start : start + 40]
        ]


def test_a_review_behind_and_before_other_requests_keeps_the_order(connection: socket.socket) -> None:
    first, second, third = (with_uid(b"%036d" % each) for each in range(3))
    connection.sendall(first + LIVEZ + second + LIVEZ + LIVEZ + third)
    bodies = read_bodies(connection, 6)
    assert (bodies[1], bodies[3], bodies[4]) == (b"ok\n",) * 3
    assert list_uids([bodies[0], bodies[2], bodies[5]]) == [f"{each:036d}" for each in range(3)]


def test_what_is_no_request_behind_a_review_is_refused_after_its_answer(connection: socket.socket) -> None:
    connection.sendall(WHOLE + b"\x00\x01\x02")
    read_bodies(connection, 1)
    with suppress(ConnectionResetError):
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_later_review_whose_body_never_ends_is_refused_by_its_uid(
    monkeypatch: pytest.MonkeyPatch, connection: socket.socket
) -> None:
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", 0.3)
    connection.sendall(WHOLE[:-1])
    answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 "), "a 408 would let it in under Ignore"
    assert b'"allowed":false' in answer
    with suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_later_review_that_is_being_read_when_the_gate_ends_is_answered(
    served: Served, connection: socket.socket
) -> None:
    connection.sendall(WHOLE[:-10])
    served.tell(lambda: None)
    wait_until(lambda: served.server.count_in_flight() == 1)
    served.tell(served.life.stop)
    connection.sendall(WHOLE[-10:])
    answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer


def test_a_caller_that_went_away_keeps_nobody_waiting(served: Served) -> None:
    for _ in range(20):
        with served.open() as leaving:
            leaving.sendall(WHOLE * 5)
    with served.open() as staying:
        staying.sendall(WHOLE)
        assert len(read_bodies(staying, 1)) == 1
    wait_until(lambda: served.server.count_in_flight() == 0)
    wait_until(lambda: served.connections == 0)


def test_a_connection_that_rests_too_long_is_closed_and_one_that_is_used_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("patchgate.server.serve.KEEP_ALIVE_SECONDS", 1)
    with serve_here(make_gate_app(*SHOP), Life(0)) as served, served.open() as used, served.open() as resting:
        for connection in (used, resting):
            connection.sendall(WHOLE)
            read_bodies(connection, 1)
        while not _is_closed(resting):
            used.sendall(WHOLE)
            assert len(read_bodies(used, 1)) == 1


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.2)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
