"""Reviews whose heads were read before: the same answers as the parser's, however they come and whatever is beside."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from patchgate.server.life import Life
from patchgate.server.review_protocol import ReviewProtocol
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
    """A connection of which the head of WHOLE is known."""
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
def test_a_known_head_gets_the_same_answer_however_its_review_comes(
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


def test_a_known_head_behind_and_before_other_requests_keeps_the_order(connection: socket.socket) -> None:
    first, second, third = (with_uid(b"%036d" % each) for each in range(3))
    connection.sendall(first + LIVEZ + second + LIVEZ + LIVEZ + third)
    bodies = read_bodies(connection, 6)
    assert (bodies[1], bodies[3], bodies[4]) == (b"ok\n",) * 3
    assert list_uids([bodies[0], bodies[2], bodies[5]]) == [f"{each:036d}" for each in range(3)]


def test_a_head_that_differs_only_in_what_it_wants_is_not_taken_for_the_known_one(connection: socket.socket) -> None:
    connection.sendall(WHOLE.replace(b"Host: gate\r\n", b"Host: gate\r\nConnection: close\r\n"))
    assert b"\r\nconnection: close\r\n" in connection.recv(65536)
    assert connection.recv(1) == b""


@pytest.mark.parametrize("behind", [b"", b"\r\n", b"\r\n\r\n"])
def test_empty_lines_before_a_review_are_not_remembered_as_its_head(connection: socket.socket, behind: bytes) -> None:
    other = WHOLE.replace(b"Host: gate", b"Host: other")
    connection.sendall(behind + other)
    usual = read_bodies(connection, 1)
    connection.sendall(behind + other)
    assert read_bodies(connection, 1) == usual


def test_what_is_no_request_behind_a_known_one_is_refused_after_its_answer(connection: socket.socket) -> None:
    connection.sendall(WHOLE + b"\x00\x01\x02")
    read_bodies(connection, 1)
    with suppress(ConnectionResetError):
        assert connection.recv(65536).startswith(b"HTTP/1.1 400 ")


def test_a_known_review_whose_body_never_ends_is_given_up_with_408(
    monkeypatch: pytest.MonkeyPatch, connection: socket.socket
) -> None:
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", 0.3)
    connection.sendall(WHOLE[:-1])
    assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    with suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_review_is_answered_before_the_one_behind_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch, served: Served, connection: socket.socket
) -> None:
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", 0.001)

    def take_both_and_stall() -> None:  # as a machine that is suspended: libuv's timers come before what was put off
        (protocol,) = served.server.server_state.connections
        assert isinstance(protocol, ReviewProtocol)
        protocol.data_received(WHOLE + WHOLE[:-1])
        time.sleep(0.1)

    served.tell(take_both_and_stall)
    assert len(read_bodies(connection, 1)) == 1
    assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_a_known_review_that_is_being_read_when_the_gate_ends_is_answered(
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


def test_who_says_with_a_review_that_nothing_follows_is_answered_before_the_connection_closes(
    served: Served, connection: socket.socket
) -> None:
    under_way: list[bool] = []

    def end_with_a_review() -> None:  # over TLS both come at once, and what is written after the end is dropped
        (protocol,) = served.server.server_state.connections
        assert isinstance(protocol, ReviewProtocol)
        protocol.data_received(WHOLE)
        under_way.append(protocol.is_under_way)
        protocol.eof_received()
        under_way.append(protocol.is_under_way)

    served.tell(end_with_a_review)
    assert len(read_bodies(connection, 1)) == 1
    assert under_way == [True, False]


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
