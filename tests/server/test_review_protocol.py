"""The short way of a review: the same answers as by the long one, whichever way it came."""

import json
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from patchgate.server.life import Life
from patchgate.server.reporting import Reporter
from tests.conftest import SHOP, Doors, Gate, Served, make_doors, read_recorded, serve_here

REVIEW = read_recorded("pod-create")
HEAD = b"POST /validate/enforce?timeout=30s HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n"
WHOLE = HEAD + LENGTH % len(REVIEW) + b"\r\n" + REVIEW
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(REVIEW), REVIEW)
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    response = HTTPResponse(connection)
    response.begin()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


def ask(connection: socket.socket, *pieces: bytes) -> tuple[int, dict[str, str], bytes]:
    for piece in pieces:
        connection.sendall(piece)
    return read_answer(connection)


@pytest.fixture
def connection(gate: Gate) -> Iterator[ssl.SSLSocket]:
    with gate.open_tls() as opened:
        yield opened


@pytest.fixture
def doors() -> Doors:
    return make_doors(*SHOP)


@pytest.fixture
def served(doors: Doors) -> Iterator[Served]:
    with serve_here(doors.main, Life(0)) as running:
        yield running


@pytest.mark.parametrize(
    "pieces",
    [
        [WHOLE[:100], WHOLE[100:]],
        [WHOLE[:1000], WHOLE[1000:2000], WHOLE[2000:]],
        [CHUNKED],
        [WHOLE.replace(b"POST /validate", b"POST https://gate/validate")],
        [WHOLE.replace(b"/validate/enforce", b"/validate/enf%6frce")],
        [WHOLE.replace(b"application/json", b"APPLICATION/JSON; charset=utf-8")],
    ],
    ids=["head in pieces", "body in pieces", "chunked", "a whole URL", "a path with %", "another content type"],
)
def test_a_review_gets_the_same_answer_however_it_comes(connection: ssl.SSLSocket, pieces: list[bytes]) -> None:
    assert ask(connection, *pieces) == ask(connection, WHOLE)


def test_a_caller_that_waits_to_be_told_to_go_on_is_told(connection: ssl.SSLSocket) -> None:
    usual = ask(connection, WHOLE)
    connection.sendall(HEAD + LENGTH % len(REVIEW) + b"Expect: 100-continue\r\n\r\n")
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert ask(connection, REVIEW) == usual


def test_a_review_behind_another_request_is_answered_after_it(connection: ssl.SSLSocket) -> None:
    usual = ask(connection, WHOLE)
    connection.sendall(LIVEZ + WHOLE + LIVEZ + WHOLE)
    answers = [_read_next(connection) for _ in range(4)]
    assert [answer[0] for answer in answers] == [200] * 4
    assert (answers[1][2], answers[3][2]) == (usual[2], usual[2])


def _read_next(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer and not a byte more: others follow it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    first, *lines = head.decode().split("\r\n")[:-2]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = b""
    while len(body) < int(headers["content-length"]):
        body += connection.recv(int(headers["content-length"]) - len(body))
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (WHOLE.replace(b"application/json", b"text/plain"), 415),
        (WHOLE.replace(b"Host", b"Content-Encoding: gzip\r\nHost"), 415),
        (HEAD + LENGTH % 1 + b"\r\n{", 400),
        (WHOLE.replace(b"/enforce", b"/allow"), 404),
    ],
)
def test_a_refused_review_leaves_its_connection_good(connection: ssl.SSLSocket, request_: bytes, status: int) -> None:
    refused = ask(connection, request_)
    assert (refused[0], "connection" in refused[1], json.loads(refused[2])["allowed"]) == (status, False, False)
    assert ask(connection, WHOLE)[0] == 200


@pytest.mark.parametrize("line", [b"Connection: close\r\n", b""])
def test_a_caller_that_wants_it_closed_gets_it_closed(connection: ssl.SSLSocket, line: bytes) -> None:
    request = WHOLE.replace(b"Host: gate\r\n", b"Host: gate\r\n" + line)
    answer = ask(connection, request if line else request.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (answer[0], answer[1]["connection"]) == (200, "close")
    assert connection.recv(1) == b""


def test_a_gate_that_has_no_snapshot_says_when_to_come_again(cold_gate: Gate) -> None:
    with cold_gate.open_tls() as connection:
        status, headers, _ = ask(connection, WHOLE)
        assert (status, headers["retry-after"]) == (503, "1")
        assert ask(connection, WHOLE)[0] == 503


def test_a_defect_beside_the_decision_is_a_failure_of_ours_and_the_next_review_is_decided(
    doors: Doors, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    with served.open() as connection:
        with monkeypatch.context() as patch:
            patch.setattr("patchgate.server.admission.write_response", fail)
            status, _, body = ask(connection, WHOLE)
        assert (status, json.loads(body)["reason"]) == (500, "InternalError")
        assert doors.count("patchgate_errors_total", where="review") == 1.0
        assert "ZeroDivisionError" in doors.log.getvalue()
        assert ask(connection, WHOLE)[0] == 200


def test_a_defect_in_telling_of_a_verdict_does_not_cost_it(
    doors: Doors, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Reporter, "tell_review", fail)
    with served.open() as connection:
        status, _, body = ask(connection, WHOLE)
    assert (status, json.loads(body)["response"]["status"]["code"]) == (200, 403)
    assert doors.count("patchgate_errors_total", where="report") == 1.0


def test_a_caller_that_asks_on_and_reads_no_answer_is_held_back_or_closed(served: Served) -> None:
    number = 20_000
    with served.open() as connection:
        connection.settimeout(0.5)
        sent = 0
        try:
            while sent < number:
                connection.sendall(WHOLE)
                sent += 1
        except (TimeoutError, ConnectionError):
            pass
        assert sent < number  # the gate read no more, and neither did the kernel


def test_a_review_that_is_being_read_when_the_gate_ends_is_answered(served: Served) -> None:
    with served.open() as connection:
        connection.sendall(WHOLE[:-10])
        served.tell(lambda: None)
        served.tell(served.life.stop)
        status, headers, _ = ask(connection, WHOLE[-10:])
        assert (status, headers["connection"]) == (200, "close")
        assert connection.recv(1) == b""


def test_reviews_that_get_no_verdict_are_counted_by_their_status_whichever_way_they_came(
    doors: Doors, served: Served
) -> None:
    with served.open() as connection:
        assert ask(connection, HEAD + LENGTH % 1 + b"\r\n{")[0] == 400
        assert ask(connection, HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n")[0] == 400
        assert ask(connection, WHOLE.replace(b"application/json", b"text/plain"))[0] == 415
    assert [doors.count("patchgate_refusals_total", status=status) for status in ("400", "415")] == [2.0, 1.0]


@pytest.mark.parametrize("path", [b"/validate/enforce", b"/v1/decisions"])
def test_who_wants_another_protocol_is_refused_and_nothing_behind_it_is_a_request(
    connection: ssl.SSLSocket, path: bytes
) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\nHost"
    connection.sendall(WHOLE.replace(b"/validate/enforce", path).replace(b"Host", upgrade)[: -len(REVIEW)])
    received = connection.recv(4096)
    assert received.startswith(b"HTTP/1.1 400 ")
    try:
        connection.sendall(WHOLE)
        assert connection.recv(1) == b""
    except OSError:  # closed already
        pass
