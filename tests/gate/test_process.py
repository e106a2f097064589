"""The gate as a process: connections that live on, callers that misbehave, and its end."""

import json
import resource
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import API, Gate, GateRunner, read_recorded

AS_JSON = {"Content-Type": "application/json"}
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"
LAST_LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n"


def exchange(gate: Gate, sent: bytes) -> bytes:
    """All that the gate answers on one connection until it closes it."""
    received = b""
    with gate.open_tls() as connection:
        connection.sendall(sent)
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_many_requests_share_a_connection(gate: Gate) -> None:
    connection = gate.connect()
    connection.connect()
    first = connection.sock
    for name in ("pod-create", "pod-create-approved", "configmap-create"):
        connection.request("POST", "/validate/enforce", read_recorded(name), AS_JSON)
        response = connection.getresponse()
        assert (response.status, len(response.read()) > 0) == (200, True)
        assert connection.sock is first
    connection.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/validate/enforce", {}, 415),
        ("POST", "/validate/deny", AS_JSON, 404),
        ("PUT", "/validate/enforce", AS_JSON, 405),
        ("POST", "/validate/enforce", AS_JSON, 400),
    ],
)
def test_a_refused_request_leaves_its_connection_good(
    gate: Gate, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = gate.connect()
    for body, expected in ((b"x" * 300_000, status), (None, 200)):
        connection.request(*((method, path, body, headers) if body else ("GET", "/livez", None, {})))
        response = connection.getresponse()
        response.read()
        assert response.status == expected
    connection.close()


def test_requests_sent_in_one_go_are_answered_in_order(gate: Gate) -> None:
    body = read_recorded("pod-create")
    head = (
        "POST /validate/enforce HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    received = exchange(gate, LIVEZ + head.encode() + body + LAST_LIVEZ)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert received.index(b"ok\n") < received.index(b'"PatchAvailable"') < received.rindex(b"ok\n")


@pytest.mark.parametrize(
    "noise",
    [
        b"\x00\x01\x02\x03\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"POST /validate/enforce HTTP/1.1\r\nHost: gate\r\nContent-Length: -5\r\n\r\n",
        b"POST /validate/enforce HTTP/1.1\r\nHost: gate\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_bytes_that_are_no_http_are_a_bad_request_and_harm_nobody(gate: Gate, noise: bytes) -> None:
    received = exchange(gate, noise)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"Traceback" not in received
    assert gate.ask("GET", "/readyz").status == 200


def test_noise_behind_a_good_request_harms_nobody(gate: Gate) -> None:
    assert exchange(gate, LIVEZ + b"\x00noise\r\n\r\n").startswith(b"HTTP/1.1 ")
    assert gate.ask("GET", "/livez").status == 200


def test_a_caller_that_goes_away_half_way_harms_nobody(gate: Gate) -> None:
    with gate.open_tls() as connection:
        connection.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nContent-Length: 1000\r\n\r\n{")
    assert gate.ask("GET", "/livez").status == 200


def test_a_slow_caller_keeps_nobody_waiting(gate: Gate) -> None:
    with gate.open_tls() as slow:
        slow.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nContent-Length: 21\r\n\r\n")
        assert gate.ask("POST", "/v1/decisions", {"images": [API]}).json["reason"] == "PatchAvailable"
        slow.sendall(b'{"images": ["nginx"]}')
        assert slow.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_gate_well_and_is_told_in_the_log(
    shop: Path, self_signed: GateRunner, number: signal.Signals
) -> None:
    with self_signed(shop) as gate:
        assert gate.review(read_recorded("pod-create")).status == 200
        assert gate.stop(number) == 0
    events = [line["event"] for line in map(json.loads, gate.said)]
    assert events[events.index("listening") :] == ["listening", "data does not count", "denied", "ended"]
    with pytest.raises(ConnectionRefusedError):
        gate.open_socket()


def test_a_request_under_way_is_answered_before_the_gate_ends(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop) as gate, gate.open_tls() as connection:
        connection.sendall(b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nContent-Length: 21\r\n\r\n{")
        gate.process.terminate()
        connection.sendall(b'"images": ["nginx"]}')
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_the_gate_listens_on_ipv6(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop, "--listen", "[::1]:0") as gate:
        assert gate.host == "::1"
        assert gate.ask("GET", "/readyz").status == 200


def test_a_low_soft_limit_of_open_files_is_raised_to_what_the_hard_one_allows(
    shop: Path, self_signed: GateRunner
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        running = self_signed(shop)
        gate = running.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with ExitStack() as opened:
        opened.push(running)
        for _ in range(200):
            opened.enter_context(gate.open_socket())
        assert gate.ask("GET", "/livez").status == 200
