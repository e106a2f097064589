"""F9: every registry is slow, busy or down: the gate does not notice, as it asks none."""

import socket
from pathlib import Path

import pytest

from tests.conftest import GateRunner, read_recorded

pytestmark = pytest.mark.usefixtures("in_network")  # which has no way out: no name is resolved, no registry reached

ELSEWHERE = "192.0.2.1", 443
"""A place in no network (RFC 5737)."""


def count_attempts() -> int:
    """What anybody in this network wanted to send out of it, names to be resolved too (proc(5), OutNoRoutes)."""
    names, values = (
        line.split()
        for line in Path("/proc/thread-self/net/snmp").read_text(encoding="utf-8").splitlines()
        if line.startswith("Ip:")
    )
    return int(values[names.index("OutNoRoutes")])


def test_an_attempt_to_reach_a_registry_is_counted() -> None:
    """What the other test would find if the gate asked one."""
    before = count_attempts()
    with pytest.raises(OSError, match="unreachable"):
        socket.create_connection(ELSEWHERE, timeout=1)
    assert count_attempts() > before


def test_reviews_are_decided_without_a_network_and_without_asking_for_one(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop) as gate:
        before = count_attempts()
        assert gate.review(read_recorded("pod-create")).json["response"]["status"]["reason"] == "PatchAvailable"
        assert gate.review(read_recorded("pod-create-approved")).json["response"]["allowed"] is True
        assert count_attempts() == before
        assert gate.metric('patchgate_errors_total{where="review"}') == 0
