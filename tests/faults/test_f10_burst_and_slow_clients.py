"""F10: a thousand Pods at once, and a thousand callers that never finish: reviews are answered, nothing piles up."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import Gate, GateRunner, read_recorded
from tests.faults.conftest import read_resident_bytes
from tests.faults.pod_traffic import burst
from tests.plane.control_plane import Plane
from tests.plane.network import Network
from tests.plane.webhooks import guard

pytestmark = pytest.mark.usefixtures("in_network")

PODS = 1000
SLOW = 1000
AWAY = "10.77.0.99"
"""An address that callers have, and lose."""
HALF_HEAD = b"POST /validate/enforce?timeout=5s HTTP/1.1\r\nHost: g"
HALF_BODY = (
    b"POST /validate/enforce HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
)
GROWTH = 1.15
"""Resident memory after the second burst ÷ after the first, which leaves what Python keeps for the next."""
LEFT_BYTES = 110 * 2**20
"""What three crowds in turn may leave. A connection takes 48 KB: three thousand that were never let go of would be 144
MB; what allocators keep for the next crowd is 80, and hardly grows after the third."""


def test_a_thousand_pods_at_once_all_get_their_verdict(plane: Plane, world: Path) -> None:
    with guard(plane, "burst", world) as guarded:
        burst(plane, guarded.webhook.enforce.namespace, PODS)
        before = read_resident_bytes(guarded.gate)
        traffic = burst(plane, guarded.webhook.enforce.namespace, PODS)
        assert read_resident_bytes(guarded.gate) <= GROWTH * before
    assert traffic.lost == []
    assert traffic.answers == {(201, ""): PODS / 2, (403, "PatchAvailable"): PODS / 2}


@contextmanager
def crowd(gate: Gate, network: Network) -> Iterator[None]:
    """A thousand callers: silent ones before TLS, ones with half a head, ones with half a body; all then lose their
    address, so that the gate never hears that they are gone."""
    network.add(AWAY)
    with ExitStack() as stack:
        for number in range(SLOW):
            connection = gate.open_socket(AWAY) if number % 4 == 0 else gate.open_tls(AWAY)
            stack.enter_context(connection)
            connection.sendall((b"\x16\x03\x01", HALF_HEAD, HALF_BODY, b"")[number % 4])
        network.remove(AWAY)
        yield


def count_connections(gate: Gate) -> int:
    return sum(1 for file in Path(f"/proc/{gate.process.pid}/fd").iterdir() if is_socket(file))


def is_socket(file: Path) -> bool:
    try:
        return str(file.readlink()).startswith("socket:")
    except FileNotFoundError:
        return False


def test_a_thousand_callers_that_are_slow_and_then_gone_cost_nobody_an_answer_and_no_memory(
    network: Network, shop: Path, self_signed: GateRunner
) -> None:
    with self_signed(shop) as gate:
        at_rest, empty = count_connections(gate), read_resident_bytes(gate)
        for _ in range(2):
            with crowd(gate, network):
                assert count_connections(gate) > SLOW / 2  # on a slow machine the first are given up by now
        with crowd(gate, network):
            for _ in range(20):
                answer = gate.review(read_recorded("pod-create"))
                assert answer.json["response"]["status"]["reason"] == "PatchAvailable"
            gate.wait_until(lambda: count_connections(gate) <= at_rest + 1, seconds=180)
        assert read_resident_bytes(gate) - empty <= LEFT_BYTES
        assert gate.ask("GET", "/readyz").status == 200
