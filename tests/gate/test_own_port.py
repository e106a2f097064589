"""The look at the gate's own port: what it sees, and when that counts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from prometheus_client import CollectorRegistry

from patchgate.gate.certificates import make_stand_in
from patchgate.gate.own_port import OwnPort
from patchgate.gate.settings import Address
from patchgate.metrics import GateMetrics
from patchgate.server.tls import ServedPair

NOW = datetime.now(UTC)


@asynccontextmanager
async def serve(pair: ServedPair) -> AsyncIterator[int]:
    """Serve a pair on a port."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=pair.context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def look_at(port: int, pair: ServedPair, host: str = "127.0.0.1") -> tuple[OwnPort, GateMetrics]:
    metrics = GateMetrics(CollectorRegistry())
    return OwnPort(Address(host, port), pair, metrics), metrics


def answers(metrics: GateMetrics) -> float | None:
    return metrics.registry.get_sample_value("patchgate_own_port_answers")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 -- reached by IPv4, which a Pod without IPv6 has too
def test_a_port_that_shows_what_it_should_is_well_from_the_first_look(host: str) -> None:
    async def run() -> None:
        pair = ServedPair(make_stand_in(NOW))
        async with serve(pair) as port:
            own, metrics = look_at(port, pair, host)
            assert own.find_obstacle() == "the own port does not answer: it has not been tried yet"
            await own.look()
            assert (own.find_obstacle(), answers(metrics)) == ("", 1)
            pair.current = make_stand_in(NOW)
            await own.look()
            assert own.find_obstacle() == ""

    asyncio.run(run())


def test_only_the_third_failure_in_a_row_counts_and_one_good_look_ends_it() -> None:
    async def run() -> None:
        pair = ServedPair(make_stand_in(NOW))
        async with serve(pair) as port:
            own, metrics = look_at(port, pair)
            await own.look()
            own.address = Address("127.0.0.1", find_silent_port())
            for expected in (False, False, True):
                await own.look()
                assert bool(own.find_obstacle()) is expected
            assert own.find_obstacle().startswith("the own port does not answer: no TLS: ")
            assert answers(metrics) == 0
            own.address = Address("127.0.0.1", port)
            await own.look()
            assert (own.find_obstacle(), answers(metrics)) == ("", 1)

    asyncio.run(run())


def test_another_certificate_than_the_gates_is_seen() -> None:
    async def run() -> None:
        other, pair = ServedPair(make_stand_in(NOW)), ServedPair(make_stand_in(NOW))
        async with serve(other) as port:
            own, metrics = look_at(port, pair)
            await own.look()
            assert own.find_obstacle() == (
                "the own port does not answer: "
                f"it shows the certificate {other.current.serial}, not {pair.current.serial}"
            )
            assert answers(metrics) == 0

    asyncio.run(run())


def find_silent_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
