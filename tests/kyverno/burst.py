"""Pods created through Kyverno at a steady pace, and the connections that it has open with our gate meanwhile."""

import time
from dataclasses import dataclass
from pathlib import Path

from tests.kyverno.policies import Policies
from tests.plane.api_traffic import keep_creating
from tests.plane.control_plane import Plane

_OPEN = {"01", "08"}
"""ESTABLISHED, and CLOSE_WAIT: closed by the other side alone (include/net/tcp_states.h)."""


@dataclass(frozen=True)
class Burst:
    """What came of it.

    Attributes:
        admitted: Pods.
        failed: what else was said.
        connections: the most that were open with the gate's port at a time.
    """

    admitted: int
    failed: tuple[str, ...]
    connections: int


def burst(plane: Plane, policies: Policies, port: int, image: str, reviews: int) -> Burst:
    """Create that many Pods, 50 a second, as dry runs. port: the gate's."""
    most, deadline = 0, time.monotonic() + reviews  # a second each, where the machine has no time for more
    with keep_creating(plane, policies.namespace.namespace, image, reviews_a_second=50) as traffic:
        while traffic.admitted + len(traffic.failed) < reviews and time.monotonic() < deadline:
            most = max(most, count_connections(port))
            time.sleep(0.05)
    return Burst(traffic.admitted, tuple(traffic.failed), most)


def count_connections(port: int) -> int:
    """Count the connections that are open with a port of loopback (proc(5), /proc/net/tcp)."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    rows = (line.split() for line in lines)
    return sum(row[1].endswith(f":{port:04X}") and row[3] in _OPEN for row in rows)
