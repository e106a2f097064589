"""An honest caller during an attack: small reviews and probes, each of which must be answered in time."""

import time
from collections.abc import Callable
from http.client import HTTPSConnection

from tests.attacks.conftest import LimitedGate
from tests.conftest import START_SECONDS, Gate, read_recorded

ANSWER_SECONDS = 1.0
"""The bar of the attacks: a small review from another address."""
PROBE_SECONDS = 5.0
"""The bar of a probe on a new connection: timeoutSeconds of the chart's liveness probe."""
HONEST = "127.0.0.250"
AS_JSON = {"Content-Type": "application/json"}


def warm_up(limited: LimitedGate) -> int:
    """Ask as a cluster at rest does; give the bytes that are resident then."""
    for _ in range(50):
        limited.gate.review(read_recorded("pod-create"))
    return limited.read_resident_bytes()


def connect(gate: Gate, seconds: float = START_SECONDS) -> HTTPSConnection:
    """A connection from an address of its own; each of its operations has so many seconds."""
    return HTTPSConnection(gate.host, gate.port, context=gate.trust, timeout=seconds, source_address=(HONEST, 0))


def ask_until(gate: Gate, is_over: Callable[[], bool]) -> tuple[list[float], list[float]]:
    """Ask small reviews on a kept connection, and every tenth time a probe on a new one; give the seconds of each.

    A kube-apiserver has connections already when an attack begins; a kubelet opens one for each probe.
    """
    reviews, probes = [], []
    kept = connect(gate)
    kept.connect()
    while not is_over():
        reviews.append(_time(lambda: _review(kept)))
        if len(reviews) % 10 == 0:
            probes.append(_time(lambda: _probe(gate)))
        time.sleep(0.05)
    kept.close()
    return reviews, probes


def _time(ask: Callable[[], None]) -> float:
    began = time.monotonic()
    ask()
    return time.monotonic() - began


def _review(kept: HTTPSConnection) -> None:
    kept.request("POST", "/validate/enforce?timeout=5s", read_recorded("pod-create"), AS_JSON)
    response = kept.getresponse()
    assert (response.status, b'"allowed":false' in response.read()) == (200, True)


def _probe(gate: Gate) -> None:
    probe = connect(gate)
    probe.request("GET", "/readyz")
    assert probe.getresponse().status == 200
    probe.close()
