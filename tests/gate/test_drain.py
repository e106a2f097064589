"""The gate's end: told to stop it fails its readiness, serves on for the drain time, and loses no request."""

import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from patchgate.limits import SHUTDOWN_SECONDS
from tests.conftest import Gate, GateRunner, read_recorded
from tests.traffic import keep_asking

AS_JSON = {"Content-Type": "application/json"}
BODYLESS = b"POST /v1/decisions HTTP/1.1\r\nHost: gate\r\nContent-Length: 21\r\n\r\n{"


@pytest.fixture
def patient(shop: Path, self_signed: GateRunner) -> Iterator[Gate]:
    """A gate that would drain for an hour."""
    with self_signed(shop, "--drain-seconds", "3600") as gate:
        yield gate


def begin_to_drain(gate: Gate) -> None:
    gate.process.send_signal(signal.SIGTERM)
    gate.wait_until(lambda: gate.ask("GET", "/readyz").status == 503)


def is_refused(gate: Gate) -> bool:
    try:
        gate.open_socket().close()
    except ConnectionRefusedError:
        return True
    return False


def read_the_rest(connection: socket.socket) -> bytes:
    """All that came on a connection whose other end is gone."""
    received = b""
    try:
        while chunk := connection.recv(4096):
            received += chunk
    except (ConnectionResetError, ssl.SSLEOFError):
        pass
    return received


def test_a_draining_gate_fails_its_readiness_and_goes_on_deciding(patient: Gate) -> None:
    begin_to_drain(patient)
    ready = patient.ask("GET", "/readyz?verbose")
    assert (ready.status, ready.text.splitlines()[0]) == (503, "draining")
    assert patient.ask("GET", "/livez").status == 200
    answer = patient.review(read_recorded("pod-create"))
    assert (answer.status, answer.json["response"]["status"]["reason"]) == (200, "PatchAvailable")
    assert patient.ask_ops("/metrics").status == 200
    assert patient.process.poll() is None


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [("POST", "/validate/enforce", "pod-create"), ("POST", "/validate/nothing", "pod-create"), ("GET", "/livez", "")],
)
def test_every_answer_of_a_draining_gate_closes_its_connection(
    patient: Gate, method: str, path: str, name: str
) -> None:
    connection = patient.connect()
    for is_draining in (False, True):
        if is_draining:
            begin_to_drain(patient)
        connection.request(method, path, read_recorded(name) if name else None, AS_JSON)
        response = connection.getresponse()
        response.read()
        assert response.getheader("connection") == ("close" if is_draining else None)
        assert (connection.sock is None) == is_draining  # the client closed it as it was told
    connection.close()


def test_the_ops_listener_drains_too(patient: Gate) -> None:
    assert "connection" not in patient.ask_ops("/metrics").headers
    begin_to_drain(patient)
    assert patient.ask_ops("/metrics").headers["connection"] == "close"


def test_a_drained_gate_ends_well_and_drops_connections_that_are_idle(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop, "--drain-seconds", "2") as gate:
        idle = gate.connect()
        idle.request("GET", "/livez")
        assert idle.getresponse().read() == b"ok\n"
        begin_to_drain(gate)
        assert gate.process.poll() is None
        assert idle.sock.recv(1) == b""
        idle.close()
        assert gate.process.wait(SHUTDOWN_SECONDS) == 0
    assert [event["event"] for event in gate.events("ended")] == ["ended"]


def test_a_frozen_caller_does_not_hold_up_the_end(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop) as gate, gate.open_tls() as frozen:
        frozen.sendall(b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n")
        assert frozen.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        gate.process.terminate()
        assert gate.process.wait(2 * SHUTDOWN_SECONDS) == 0  # the caller never says that it heard of the closing
    assert [line for line in gate.said if "timeout graceful shutdown exceeded" in line] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_draining_gate_at_once(patient: Gate, number: signal.Signals) -> None:
    begin_to_drain(patient)
    assert patient.stop(number) == 0


def test_an_interrupt_ends_the_gate_without_draining(patient: Gate) -> None:
    assert patient.stop(signal.SIGINT) == 0


def test_a_gate_that_is_to_end_at_once_waits_for_no_request(patient: Gate) -> None:
    with patient.open_tls() as waiting:
        waiting.sendall(BODYLESS)
        begin_to_drain(patient)
        assert patient.stop() == 0
        assert read_the_rest(waiting) == b""  # had it waited, the body would have been given up with a 408


def test_a_second_signal_counts_also_when_the_gate_has_drained(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop) as gate, gate.open_tls() as waiting:
        waiting.sendall(BODYLESS)
        gate.process.terminate()
        gate.wait_until(lambda: is_refused(gate))
        assert gate.process.poll() is None
        assert gate.stop() == 0
        assert read_the_rest(waiting) == b""


def test_no_request_is_lost_in_a_drain_under_load(patient: Gate) -> None:
    with keep_asking(patient) as traffic:
        patient.wait_until(lambda: traffic.each_has(lambda caller: caller.answered, 20))
        assert sum(caller.told_to_close for caller in traffic.callers) == 0
        patient.process.terminate()
        patient.wait_until(lambda: traffic.each_has(lambda caller: caller.told_to_close, 20))
    assert (traffic.faults, traffic.lost) == ([], 0)
    assert patient.stop() == 0  # callers have heard that the endpoint is gone before the gate is
