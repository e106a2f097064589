"""F9: every registry is slow, busy or down: the gate does not notice, as it asks none."""

from pathlib import Path

import pytest

from tests.conftest import GateRunner, read_recorded

pytestmark = pytest.mark.usefixtures("in_network")  # which has no way out: no name is resolved, no registry reached

SYN_SENT = "02"


def list_attempts() -> list[str]:
    """Connections of this network that somebody has asked for and not got (proc(5), /proc/net/tcp)."""
    lines = Path("/proc/net/tcp").read_text(encoding="utf-8").splitlines()[1:]
    return [line for line in lines if line.split()[3] == SYN_SENT]


def test_reviews_are_decided_without_a_network_and_without_asking_for_one(shop: Path, self_signed: GateRunner) -> None:
    with self_signed(shop) as gate:
        assert gate.review(read_recorded("pod-create")).json["response"]["status"]["reason"] == "PatchAvailable"
        assert gate.review(read_recorded("pod-create-approved")).json["response"]["allowed"] is True
        assert list_attempts() == []
        assert gate.metric('patchgate_errors_total{where="review"}') == 0
