"""S3: thousands of idle connections: newcomers and probes are served all the same."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection

import pytest

from tests.attacks.asking import connect, warm_up
from tests.attacks.conftest import BASE, LimitedGateRunner
from tests.conftest import Gate, make_blind_context, read_recorded

CONNECTIONS = 5000
AT_ONCE = 50
ROUNDS = 20
GET = b"GET /livez HTTP/1.1\r\nHost: gate\r\n\r\n"
MOST_FILES = 2048 + 128
"""Of the gate: its connections, and what else it has open."""


@contextmanager
def crowd(gate: Gate, addresses: int) -> Iterator[list[asyncio.StreamWriter]]:
    """Open them over TLS, each with one GET answered and then idle; some may be closed meanwhile."""
    opened: list[asyncio.StreamWriter] = []
    turn = asyncio.Semaphore(AT_ONCE)
    context = make_blind_context()

    async def open_one(source: str) -> None:
        async with turn:
            try:
                reader, writer = await asyncio.open_connection(
                    gate.host, gate.port, ssl=context, local_addr=(source, 0)
                )
                opened.append(writer)
                writer.write(GET)
                await reader.readuntil(b"ok\n")
            except (OSError, ssl.SSLError, asyncio.IncompleteReadError):
                pass  # it gave way

    async def open_all() -> None:
        await asyncio.gather(*(open_one(f"127.0.0.{2 + number % addresses}") for number in range(CONNECTIONS)))

    with asyncio.Runner() as runner:
        runner.run(open_all())
        yield opened
        for writer in opened:
            writer.transport.abort()


@pytest.mark.parametrize("addresses", [1, 64])
def test_idle_connections_keep_no_newcomer_and_no_probe_out(run_limited: LimitedGateRunner, addresses: int) -> None:
    with run_limited() as limited:
        gate = limited.gate
        base = warm_up(limited)
        kept = connect(gate)
        assert ask(kept, "GET", "/readyz") == 200
        with crowd(gate, addresses) as opened:
            assert len(opened) > CONNECTIONS / 2
            for _ in range(ROUNDS):
                assert gate.ask("GET", "/readyz").status == 200
                assert gate.ask("GET", "/livez").status == 200
                assert gate.review(read_recorded("pod-create")).json["response"]["allowed"] is False
            assert ask(kept, "GET", "/livez") == 200  # of a peer with one: it never had to give way
            assert gate.ask_ops("/metrics").status == 200
            assert limited.count_files() <= MOST_FILES
        kept.close()
        gate.wait_until(lambda: limited.read_resident_bytes() <= BASE * base)


def ask(connection: HTTPSConnection, method: str, path: str) -> int:
    connection.request(method, path)
    response = connection.getresponse()
    response.read()
    return response.status


@pytest.mark.parametrize("addresses", [1, 64])
def test_connections_that_never_begin_tls_keep_no_newcomer_out(run_limited: LimitedGateRunner, addresses: int) -> None:
    with run_limited() as limited, ExitStack() as stack:
        for number in range(CONNECTIONS):
            stack.enter_context(limited.gate.open_socket(f"127.0.0.{2 + number % addresses}"))
        for _ in range(ROUNDS):
            assert limited.gate.ask("GET", "/readyz").status == 200
        assert limited.count_files() <= MOST_FILES
