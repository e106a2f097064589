"""Fifty Pods a second through Kyverno: nothing fails, and Kyverno leaves no connections open with us."""

import threading
from pathlib import Path

import pytest

from tests.chart.rendering import Chart
from tests.conftest import Gate
from tests.kyverno.policies import enforce
from tests.plane.api_traffic import keep_creating
from tests.plane.control_plane import Plane
from tests.plane.world import API_PATCHED

REVIEWS = 200
MOST_CONNECTIONS = 100
ESTABLISHED, CLOSE_WAIT = "01", "08"


def count_connections(port: int) -> int:
    """Count the connections that callers have open with a port of loopback (proc(5), /proc/net/tcp)."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split() for line in lines)
    return sum(row[1].endswith(f":{port:04X}") and row[3] in {ESTABLISHED, CLOSE_WAIT} for row in rows)


@pytest.mark.parametrize(
    ("form", "trust"), [("validatingPolicy", "roots"), ("clusterPolicy", "roots"), ("clusterPolicy", "caBundle")]
)
def test_a_burst_is_admitted_and_leaves_nothing_open(
    plane: Plane, chart: Chart, gate: Gate, form: str, trust: str
) -> None:
    """With a caBundle Kyverno makes a connection a call, and closes none of them."""
    bundle = {"caBundle": plane.credentials.ca.read_text(encoding="utf-8")} if trust == "caBundle" else {}
    with enforce(plane, chart, form, f"https://127.0.0.1:{gate.port}", **bundle) as policies:
        most, done = 0, threading.Event()
        with keep_creating(plane, policies.namespace.namespace, API_PATCHED, reviews_a_second=50) as traffic:
            while traffic.admitted + len(traffic.failed) < REVIEWS and not done.wait(0.05):
                most = max(most, count_connections(gate.port))
    assert traffic.failed == []
    assert traffic.admitted > 0
    assert most <= MOST_CONNECTIONS
