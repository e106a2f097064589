"""F2: two replicas are restarted one after the other, under 200 reviews a second through kube-apiserver."""

import time
from pathlib import Path

import pytest

from tests.faults.conftest import REPLICAS
from tests.faults.pod_traffic import make_pods
from tests.faults.replicas import END_SECONDS, run_replicas
from tests.plane.control_plane import Plane

pytestmark = pytest.mark.usefixtures("in_network")

REVIEWS_A_SECOND = 200
DRAIN_SECONDS = 7.0
FIRST, SECOND, *NEW = REPLICAS


@pytest.mark.parametrize("lag_seconds", [0.0, 1.0], ids=["at once", "1 s later"])
def test_no_review_is_lost_when_each_is_replaced_and_its_endpoint_goes(
    own_plane: Plane, world: Path, lag_seconds: float
) -> None:
    name = f"rolled-{lag_seconds:.0f}"
    with (
        run_replicas(own_plane, name, world, (FIRST, SECOND), DRAIN_SECONDS) as (replicas, webhook),
        make_pods(own_plane, webhook.enforce.namespace, REVIEWS_A_SECOND) as traffic,
    ):
        for old, new in zip((FIRST, SECOND), NEW, strict=False):
            traffic.wait_for(REVIEWS_A_SECOND)
            replicas.start(new, DRAIN_SECONDS)
            replicas.tell_to_stop(old)
            time.sleep(lag_seconds)  # until the cluster's controllers have heard of it
            ended = replicas.take_out(old)
            assert ended.ask("GET", "/readyz").status == 503
            assert ended.process.wait(END_SECONDS) == 0
            assert ended.events("denied")
        traffic.wait_for(REVIEWS_A_SECOND)
    assert traffic.lost == []
    assert all(gate.events("denied") for gate in replicas.running.values())


def test_without_a_drain_reviews_are_lost(own_plane: Plane, world: Path) -> None:
    """What the other test would find if the gate did not serve on."""
    with (
        run_replicas(own_plane, "undrained", world, (FIRST, SECOND), 0) as (replicas, webhook),
        make_pods(own_plane, webhook.enforce.namespace, REVIEWS_A_SECOND) as traffic,
    ):
        traffic.wait_for(REVIEWS_A_SECOND)
        replicas.tell_to_stop(FIRST)
        assert replicas.running[FIRST].process.wait(END_SECONDS) == 0
        traffic.wait_for(REVIEWS_A_SECOND)
        replicas.take_out(FIRST)
    assert any("failed calling webhook" in text for text in traffic.lost)
