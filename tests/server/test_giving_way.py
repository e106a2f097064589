"""Connections that give way to others: what their callers get, and what stays open."""

import json
import socket
from http.client import HTTPResponse

import pytest

from patchgate.server.budget import Budget
from patchgate.server.life import Life
from tests.conftest import SHOP, Served, make_gate_app, read_recorded, serve_here, wait_until

REVIEW = read_recorded("pod-create")
UID = json.loads(REVIEW)["request"]["uid"]
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"
HEAD = b"POST %b HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
WHOLE = HEAD % (b"/validate/enforce", len(REVIEW)) + REVIEW
SMALL, LARGE = 50_000, 200_000
"""Bytes of a review that is answered in one piece, and of one that goes the ASGI way."""


def hold(served: Served, path: bytes, size: int) -> socket.socket:
    """Send all but the last byte of a body that begins as a review."""
    connection = served.open()
    connection.sendall(HEAD % (path, size) + REVIEW[:-1] + b" " * (size - len(REVIEW)))
    return connection


def read(connection: socket.socket) -> tuple[int, str | None, dict[str, object]]:
    response = HTTPResponse(connection)
    response.begin()
    return response.status, response.getheader("connection"), json.loads(response.read())


@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_review_that_gives_way_is_answered_by_its_uid_and_the_other_is_decided(size: int, mode: str) -> None:
    budget = Budget()
    with serve_here(make_gate_app(*SHOP), Life(0), budget) as served:
        first = hold(served, b"/validate/" + mode.encode(), size)
        wait_until(lambda: budget.held_bytes >= size)
        served.tell(lambda: setattr(budget, "_most_bytes", budget.held_bytes + 1000))
        with served.open() as second:
            second.sendall(WHOLE[:-10])
            status, connection, answer = read(first)
            second.sendall(WHOLE[-10:])
            assert second.recv(65536).startswith(b"HTTP/1.1 200 OK")
        response = answer["response"]
        assert isinstance(response, dict)
        assert (status, connection, response["uid"]) == (200, "close", UID)
        assert response["allowed"] is (mode != "enforce")
        if mode == "enforce":
            assert "patchgate was reading too much at once" in str(response["status"])
        first.close()
    assert budget.held_bytes == 0


def test_a_question_that_gives_way_is_told_to_come_again() -> None:
    budget = Budget(held_bytes=LARGE - 1)
    with serve_here(make_gate_app(*SHOP), Life(0), budget) as served, served.open() as connection:
        connection.sendall(HEAD % (b"/v1/decisions", LARGE) + b" " * (LARGE - 10))
        response = HTTPResponse(connection)
        response.begin()
        assert (response.status, response.getheader("retry-after")) == (503, "1")


def test_a_newcomer_is_served_and_an_idle_connection_closed() -> None:
    with serve_here(make_gate_app(*SHOP), Life(0), Budget(connections=2)) as served:
        idle, used, newcomer = (ask_on(served) for _ in range(3))
        assert idle.recv(1) == b""
        for connection in (used, newcomer):
            connection.sendall(LIVEZ)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
            connection.close()
        idle.close()


def ask_on(served: Served) -> socket.socket:
    connection = served.open()
    connection.sendall(LIVEZ)
    assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
    return connection


def test_connections_and_bytes_are_given_back_when_a_caller_goes_away() -> None:
    budget = Budget()
    with serve_here(make_gate_app(*SHOP), Life(0), budget) as served:
        gone = [hold(served, b"/validate/enforce", LARGE) for _ in range(5)]
        wait_until(lambda: budget.held_bytes >= 5 * 64 * 1024)
        for connection in gone:
            connection.close()
        wait_until(lambda: (budget.connections, budget.held_bytes) == (0, 0))
