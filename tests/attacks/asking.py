"""An honest caller during an attack: small reviews and probes, each of which must be answered in time."""

import time
from collections.abc import Callable
from http.client import HTTPSConnection

from tests.attacks.conftest import LimitedGate
from tests.conftest import START_SECONDS, Gate, read_recorded

ANSWER_SECONDS = 1.0
"""The bar of the attacks: a small review from another address."""
HONEST = "127.0.0.250"
AS_JSON = {"Content-Type": "application/json"}


def warm_up(limited: LimitedGate) -> int:
    """Ask as a cluster at rest does; give the bytes that are resident then."""
    for _ in range(50):
        limited.gate.review(read_recorded("pod-create"))
    return limited.read_resident_bytes()


def connect(gate: Gate) -> HTTPSConnection:
    return HTTPSConnection(gate.host, gate.port, context=gate.trust, timeout=ANSWER_SECONDS, source_address=(HONEST, 0))


def ask_until(gate: Gate, is_over: Callable[[], bool]) -> list[float]:
    """Ask small reviews on a kept connection, and every tenth time a probe on a new one; give the seconds of each."""
    review, seconds = read_recorded("pod-create"), []
    kept = connect(gate)
    kept.timeout = START_SECONDS  # a kube-apiserver has connections already when an attack begins
    kept.connect()
    assert kept.sock
    kept.sock.settimeout(ANSWER_SECONDS)
    while not is_over():
        began = time.monotonic()
        kept.request("POST", "/validate/enforce?timeout=5s", review, AS_JSON)
        response = kept.getresponse()
        assert (response.status, b'"allowed":false' in response.read()) == (200, True)
        seconds.append(time.monotonic() - began)
        if len(seconds) % 10 == 0:
            seconds.append(_probe(gate))
        time.sleep(0.05)
    kept.close()
    return seconds


def _probe(gate: Gate) -> float:
    began = time.monotonic()
    probe = connect(gate)
    probe.request("GET", "/readyz")
    assert probe.getresponse().status == 200
    probe.close()
    return time.monotonic() - began
