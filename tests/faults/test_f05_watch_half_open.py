"""F5: what lies between gate and kube-apiserver swallows everything: no side is told, the watch is silent for ever."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.conftest import FAR_SIDE
from tests.plane.cluster_gate import NOTICE_SECONDS, run_cluster_gate
from tests.plane.control_plane import Plane
from tests.plane.network import Network
from tests.plane.world import API, API_PATCHED, NEW, WORLD
from tests.world import image_list

pytestmark = pytest.mark.usefixtures("in_network")


def test_a_silent_watch_is_noticed_and_what_it_missed_is_made_good(
    own_plane: Plane, network: Network, tmp_path: Path
) -> None:
    far = replace(own_plane, server=own_plane.server.replace("127.0.0.1", FAR_SIDE))
    with run_cluster_gate(far, "half-open", tmp_path) as cluster:
        cluster.put(*WORLD)
        cluster.wait_for(NEW, "Unscanned")
        network.remove(FAR_SIDE)
        try:
            cluster.put(image_list(API))
            cluster.gate.wait_until(lambda: cluster.problems != [], NOTICE_SECONDS)
            assert cluster.problems == [f"source: {far.server} does not answer; the last good data stays in force"]
            assert [cluster.reason(image) for image in (API, API_PATCHED, NEW)] == [
                "PatchAvailable",
                "Approved",
                "Unscanned",
            ]
            assert cluster.gate.ask("GET", "/readyz").status == 200
        finally:
            network.add(FAR_SIDE)
        cluster.wait_for(NEW, "NotTracked")
        cluster.gate.wait_until(lambda: cluster.problems == [])
