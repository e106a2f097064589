"""F6: kube-apiserver or etcd ends, starts again, stands still, is too busy: the gate goes by what it last read."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.shut_out import shut_out
from tests.plane.cluster_gate import NOTICE_SECONDS, ClusterGate, run_cluster_gate, start_cluster_gate
from tests.plane.control_plane import Plane, wait_until
from tests.plane.world import API, API_PATCHED, NEW, WORLD
from tests.world import image_list

pytestmark = pytest.mark.usefixtures("in_network")


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


def test_a_kube_apiserver_that_is_too_busy_changes_nothing_and_is_followed_when_it_is_not(
    own_plane: Plane, in_step: ClusterGate
) -> None:
    with shut_out(own_plane, "gate-lists", "lists"):
        in_step.put(image_list(API))
        in_step.gate.wait_until(lambda: in_step.problems != [])
        busy = f"{own_plane.server} is too busy to get configmaps in lists (429)"
        assert in_step.problems == [f"source: {busy}; the last good data stays in force"]
        assert still_decides(in_step)
        assert in_step.reason(NEW) == "Unscanned"
    in_step.wait_for(NEW, "NotTracked")


def test_an_etcd_that_is_gone_changes_nothing_and_what_is_written_when_it_is_back_is_followed(
    own_plane: Plane, in_step: ClusterGate
) -> None:
    own_plane.etcd.end()
    try:
        in_step.gate.wait_until(lambda: in_step.problems != [], NOTICE_SECONDS)
        assert in_step.problems[0].startswith(f"source: {own_plane.server} ")
        assert still_decides(in_step)
        assert in_step.gate.metric("patchgate_snapshot_age_seconds") > 0
    finally:
        own_plane.etcd.start()
    wait_until(lambda: in_step.kubectl.ask("get", "configmaps").is_admitted, "kube-apiserver with its etcd")
    in_step.put(image_list(API))
    in_step.wait_for(NEW, "NotTracked")
