"""Callers that freeze, trickle or come in crowds: each is given up in its time, and costs nobody else theirs."""

import json
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import chain, repeat

import pytest

from patchgate.server.life import Life
from patchgate.server.protocol import PIPELINED
from tests.conftest import API, SHOP, START_SECONDS, Gate, Served, make_gate_app, read_recorded, serve_here, wait_until

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"
HALF_HEAD = b"POST /v1/decisions HTTP/1.1\r\nHost: g"
QUESTION = json.dumps({"images": [API]}).encode()
HEAD = b"POST /v1/decisions%%s HTTP/1.1\r\nHost: gate\r\nContent-Length: %d\r\n\r\n" % len(QUESTION)
REVIEW_HEAD = (
    b"POST /validate/enforce HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)
CHUNKED = b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n"
SMALL_SECONDS = 0.3


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """One that has the patience of a test."""
    monkeypatch.setattr("patchgate.server.protocol.HEAD_SECONDS", START_SECONDS)
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", START_SECONDS)
    with serve_here(make_gate_app(*SHOP), Life(0)) as running:
        yield running


@pytest.fixture
def impatient_of_heads(monkeypatch: pytest.MonkeyPatch, served: Served) -> Served:
    """One that gives up heads soon."""
    monkeypatch.setattr("patchgate.server.protocol.HEAD_SECONDS", SMALL_SECONDS)
    return served


@pytest.fixture
def impatient_of_bodies(monkeypatch: pytest.MonkeyPatch, served: Served) -> Served:
    """One that gives up bodies soon; their heads have their time."""
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", SMALL_SECONDS)
    return served


@contextmanager
def open_before(monkeypatch: pytest.MonkeyPatch, served: Served) -> Iterator[socket.socket]:
    """A connection whose first head has its time; every later one is given up soon."""
    with served.open() as connection:
        wait_until(lambda: served.connections == 1)
        monkeypatch.setattr("patchgate.server.protocol.HEAD_SECONDS", SMALL_SECONDS)
        yield connection


def trickle(connection: socket.socket, pieces: Iterator[bytes]) -> bytes:
    """Send the pieces one by one until the other end closes; gives what it said."""
    received = b""
    connection.settimeout(SMALL_SECONDS / 10)
    for piece in pieces:
        try:
            connection.sendall(piece)
            chunk = connection.recv(65536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return received
        if not chunk:
            return received
        received += chunk
    raise AssertionError("the pieces came to their end first")


def test_a_connection_on_which_nothing_comes_is_closed(impatient_of_heads: Served) -> None:
    with impatient_of_heads.open() as connection:
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("sent", "then"),
    [(b"G", b""), (b"GET /", b"a"), (b"GET /livez HTTP/1.1\r\n", b"X-A: b\r\n"), (HALF_HEAD, b"h"), (b"\r\n", b"\r\n")],
    ids=["a byte", "a path", "headers", "a host name", "empty lines"],
)
def test_a_head_that_never_ends_is_closed_however_it_trickles(
    impatient_of_heads: Served, sent: bytes, then: bytes
) -> None:
    with impatient_of_heads.open() as connection:
        assert trickle(connection, chain([sent], repeat(then, 1000))) == b""


@pytest.mark.parametrize(
    ("sent", "then"),
    [
        (b"GET /", b"a" * 9999),
        (b"GET /livez HTTP/1.1\r\n", b"X-A: b\r\n" * 1000),
        (b"GET /livez HTTP/1.1\r\nX-A: ", b"b" * 9999),
        (b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\nGET /", b"a" * 9999),
        (REVIEW_HEAD.partition(b"Content")[0] + b"X-A: ", b"b" * 9999),
    ],
    ids=["a path", "headers", "a header", "behind another", "of a review"],
)
def test_a_request_of_any_size_is_cut_off_long_before_its_time(served: Served, sent: bytes, then: bytes) -> None:
    with served.open() as connection:
        assert b"408" not in trickle(connection, chain([sent], repeat(then, 300)))


def test_a_trailer_of_any_size_is_cut_off_too(monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    monkeypatch.setattr("patchgate.server.protocol.REQUEST_BYTES", 2**17)
    with served.open() as connection:
        trickle(connection, chain([CHUNKED + b"0\r\nX-A: "], repeat(b"b" * 9999, 300)))


@pytest.mark.parametrize(
    ("sent", "then"),
    [
        (HEAD % b"", b" "),
        (REVIEW_HEAD, b" "),
        (CHUNKED, b"1\r\n \r\n"),
        (CHUNKED + b"5\r\n{", b""),
    ],
    ids=["by length", "a review", "chunked", "frozen"],
)
def test_a_body_that_trickles_is_given_up_with_408(impatient_of_bodies: Served, sent: bytes, then: bytes) -> None:
    with impatient_of_bodies.open() as connection:
        received = trickle(connection, chain([sent], repeat(then, 30), repeat(then if sent == CHUNKED else b"", 1000)))
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"\r\nconnection: close" in head
    assert (json.loads(body)["allowed"], json.loads(body)["reason"]) == (False, "RequestTimeout")


def test_a_body_that_never_comes_of_a_request_that_is_refused_already_gets_no_second_answer(
    impatient_of_bodies: Served,
) -> None:
    with impatient_of_bodies.open() as connection:
        connection.sendall(HEAD.replace(b"Host", b"Content-Encoding: gzip\r\nHost") % b"")
        received = b"".join(iter(lambda: _receive(connection), b""))
    assert received.startswith(b"HTTP/1.1 415 ")
    assert received.count(b"HTTP/1.1") == 1


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


def test_a_body_is_given_up_before_its_caller_would_wait_no_longer(
    monkeypatch: pytest.MonkeyPatch, served: Served
) -> None:
    monkeypatch.setattr("patchgate.server.protocol.BODY_SECONDS", 3600)  # which nobody waits for
    with served.open() as connection:
        connection.sendall(REVIEW_HEAD.replace(b" HTTP", b"?timeout=1s HTTP"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "query", [b"", b"?timeout=30s", b"?timeout=0s", b"?timeout=0.5s", b"?timeout=s", b"?xtimeout=1s"]
)
def test_a_body_that_comes_in_time_is_answered(served: Served, query: bytes) -> None:
    with served.open() as connection:
        connection.sendall(HEAD % query)
        connection.sendall(QUESTION[:9])
        connection.sendall(QUESTION[9:])
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
            if received.endswith(b"}"):
                break
    assert b'"PatchAvailable"' in received


def test_a_connection_may_rest_between_requests(monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    with open_before(monkeypatch, served) as resting:
        resting.sendall(LIVEZ)
        assert resting.recv(4096).endswith(b"ok\n")
        with served.open() as silent:
            assert silent.recv(1) == b""  # a silent one is given up meanwhile
        resting.sendall(LIVEZ)
        assert resting.recv(4096).endswith(b"ok\n")


@pytest.mark.parametrize("then", [b"", b"x"], ids=["frozen", "trickling"])
@pytest.mark.parametrize("is_pipelined", [False, True])
def test_a_second_request_that_never_ends_is_closed_when_the_first_was_answered(
    monkeypatch: pytest.MonkeyPatch, served: Served, then: bytes, is_pipelined: bool
) -> None:
    with open_before(monkeypatch, served) as connection:
        connection.sendall(LIVEZ + HALF_HEAD * is_pipelined)
        assert connection.recv(4096).endswith(b"ok\n")
        connection.sendall(HALF_HEAD * (not is_pipelined))
        assert trickle(connection, repeat(then, 1000)) == b""


def test_a_second_body_that_never_ends_is_given_up_with_408(impatient_of_bodies: Served) -> None:
    with impatient_of_bodies.open() as connection:
        connection.sendall(LIVEZ + HEAD % b"")
        assert trickle(connection, repeat(b"", 1000)).count(b"HTTP/1.1 408 ") == 1


def test_200_frozen_callers_keep_no_review_waiting(gate: Gate) -> None:
    with ExitStack() as stack:
        for number in range(200):
            frozen = gate.open_socket() if number % 4 == 0 else gate.open_tls()
            stack.enter_context(frozen)
            frozen.sendall((b"\x16\x03\x01", HALF_HEAD, HEAD % b"", LIVEZ)[number % 4])
        gate.wait_until(lambda: gate.metric("patchgate_requests_in_flight") >= 50)
        for _ in range(20):
            answer = gate.review(read_recorded("pod-create"))
            assert answer.json["response"]["status"]["reason"] == "PatchAvailable"
    gate.wait_until(lambda: gate.metric("patchgate_requests_in_flight") == 1)  # the scrape itself


def test_a_caller_that_reads_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch, served: Served) -> None:
    monkeypatch.setattr("patchgate.server.protocol.WRITE_SECONDS", SMALL_SECONDS)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # full of few answers
        connection.connect(served.address)
        connection.settimeout(START_SECONDS)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            deque(map(connection.sendall, repeat(LIVEZ * 100)), 0)
        wait_until(lambda: served.connections == 0)


def test_a_caller_that_asks_much_in_advance_is_closed(served: Served) -> None:
    with served.open() as connection, suppress(ConnectionError):
        connection.sendall(LIVEZ * 1000)
        answered = b"".join(iter(lambda: connection.recv(65536), b"")).count(b"ok\n")
        assert answered <= PIPELINED + 1
    wait_until(lambda: served.connections == 0)


def test_a_head_of_very_many_small_headers_is_closed_before_it_ends(served: Served) -> None:
    with served.open() as connection:
        assert trickle(connection, chain([b"GET /livez HTTP/1.1\r\n"], repeat(b"a:\r\n" * 60, 300))) == b""


@pytest.mark.parametrize(
    ("sent", "status", "then"),
    [
        (LIVEZ, b"200", b"\r\n"),
        (b"POST /validate/nope HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\n", b"404", b"abc"),
    ],
    ids=["an empty line", "a body after its refusal"],
)
def test_what_is_no_request_does_not_keep_a_connection_for_ever(
    monkeypatch: pytest.MonkeyPatch, sent: bytes, status: bytes, then: bytes
) -> None:
    monkeypatch.setattr("patchgate.server.serve.KEEP_ALIVE_SECONDS", 1)
    with serve_here(make_gate_app(*SHOP), Life(0)) as served, served.open() as connection:
        connection.sendall(sent)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)
        connection.sendall(then)
        assert connection.recv(1) == b""
