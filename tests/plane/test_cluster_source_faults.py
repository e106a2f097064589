"""kube-apiserver ends, starts again, or stands still: the gate goes by what it last read, says so, and catches up.

On a plane of their own, as the programs of the shared one may not be ended.
"""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.plane.cluster_gate import NOTICE_SECONDS, ClusterGate, run_cluster_gate, start_cluster_gate
from tests.plane.control_plane import Plane, run_plane
from tests.plane.world import API, API_PATCHED, NEW, WORLD
from tests.world import image_list
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, KUBERNETES


@pytest.fixture(scope="module")
def own_plane(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    del plane  # leaves the tests out where there are no programs
    programs, etcd = (find_programs(module, find_cache()) for module in (KUBERNETES, ETCD))
    assert programs
    assert etcd
    with run_plane(programs, etcd, tmp_path_factory.mktemp("own-plane")) as running:
        yield running


@pytest.fixture(scope="module")
def cluster(own_plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterGate]:
    with run_cluster_gate(own_plane, "lists", tmp_path_factory.mktemp("lists")) as running:
        yield running


@pytest.fixture
def in_step(cluster: ClusterGate) -> ClusterGate:
    """The gate in step with its lists."""
    cluster.put(*WORLD)
    cluster.wait_for(NEW, "Unscanned")
    cluster.gate.wait_until(lambda: cluster.problems == [])
    return cluster


def still_decides(cluster: ClusterGate) -> bool:
    ready = cluster.gate.ask("GET", "/readyz").status == 200
    return ready and (cluster.reason(API), cluster.reason(API_PATCHED)) == ("PatchAvailable", "Approved")


def test_a_kube_apiserver_that_is_down_changes_nothing_and_is_followed_when_it_is_back(
    own_plane: Plane, in_step: ClusterGate
) -> None:
    heard = len(in_step.gate.said)
    own_plane.api_server.end()
    in_step.gate.wait_until(lambda: in_step.problems != [])
    assert in_step.problems == [
        f"source: {own_plane.server} cannot be reached: Connection refused; the last good data stays in force"
    ]
    assert still_decides(in_step)
    assert in_step.gate.metric('patchgate_bad_entries{kind="source"}') == 1
    assert in_step.gate.metric('patchgate_errors_total{where="source"}') >= 1
    own_plane.api_server.start()
    in_step.put(image_list(API))
    in_step.wait_for(NEW, "NotTracked")
    in_step.gate.wait_until(lambda: in_step.problems == [])
    in_step.gate.wait_until(lambda: '"data counts again"' in in_step.gate.said[-1])
    said = [(line["event"], line["configmap"]) for line in map(json.loads, in_step.gate.said[heard:])]
    assert said[0] == ("data does not count", "source")
    assert {configmap for _, configmap in said} == {"source"}
    assert len(said) <= 5  # while it starts it may refuse what it allows a moment later


def test_a_kube_apiserver_that_stands_still_is_noticed_and_followed_when_it_goes_on(
    own_plane: Plane, in_step: ClusterGate
) -> None:
    process = own_plane.api_server.process
    assert process
    process.send_signal(signal.SIGSTOP)
    try:
        in_step.gate.wait_until(lambda: in_step.problems != [], NOTICE_SECONDS)
        assert in_step.problems == [f"source: {own_plane.server} does not answer; the last good data stays in force"]
        assert still_decides(in_step)
        assert in_step.gate.metric("patchgate_contact_age_seconds") > 1
    finally:
        process.send_signal(signal.SIGCONT)
    in_step.put(image_list(API))
    in_step.wait_for(NEW, "NotTracked")


def test_a_gate_starts_while_kube_apiserver_is_down_and_is_ready_when_it_is_up(
    own_plane: Plane, in_step: ClusterGate
) -> None:
    own_plane.api_server.end()
    with start_cluster_gate(own_plane, "lists", in_step.kubeconfig) as gate:
        early = replace(in_step, gate=gate)
        gate.wait_until(lambda: early.problems != [])
        assert gate.ask("GET", "/readyz").status == 503
        own_plane.api_server.start()
        gate.wait_until_ready()
        early.wait_for(API_PATCHED, "Approved")
