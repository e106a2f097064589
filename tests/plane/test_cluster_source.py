"""The gate's lists from a real cluster: what is written with kubectl is in force, what breaks there breaks nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from tests.plane.cluster_gate import NOTICE_SECONDS, RIGHTS, ClusterGate, run_cluster_gate, start_cluster_gate
from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import pod
from tests.plane.webhooks import attach
from tests.plane.world import API, API_PATCHED, API_USE, BASE, EXCEPTED, FRONTEND, NEW, NOT_TRACKED, WORLD
from tests.world import exceptions, image_list, patched, records, team_list

IN_FORCE = {API: "PatchAvailable", API_PATCHED: "Approved", FRONTEND: "SlaBreached", EXCEPTED: "Excepted"}
BAD_ENTRIES = 'patchgate_bad_entries{kind="image_list"}'


@pytest.fixture(scope="module")
def shared(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterGate]:
    """A gate whose lists the tests of this module break and mend."""
    with run_cluster_gate(plane, "lists", tmp_path_factory.mktemp("lists")) as running:
        running.put(*WORLD)
        running.gate.wait_until_ready()
        yield running


@pytest.fixture
def cluster(shared: ClusterGate) -> ClusterGate:
    """The module's gate, with all in force as it was at first."""
    shared.grant(RIGHTS)
    shared.put(*WORLD)
    shared.gate.wait_until(lambda: shared.problems == [])
    for image, reason in IN_FORCE.items():
        shared.wait_for(image, reason)
    return shared


def reasons(cluster: ClusterGate) -> dict[str, str]:
    return {image: cluster.reason(image) for image in IN_FORCE}


def test_a_cold_gate_is_ready_with_its_main_list_and_approves_with_its_records(plane: Plane, tmp_path: Path) -> None:
    with run_cluster_gate(plane, "cold-lists", tmp_path) as cold:
        cold.put(exceptions(""))
        cold.gate.wait_until(lambda: "copa-exceptions: 0 exceptions" in cold.gate.ask("GET", "/readyz?verbose").text)
        assert cold.gate.ask("GET", "/readyz").status == 503
        assert "not ready: the main image list has not been read" in cold.gate.ask("GET", "/readyz?verbose").text
        cold.put(image_list(API))
        cold.gate.wait_until_ready()
        assert (cold.reason(API), cold.problems) == ("Unscanned", [])
        cold.put(records({API: patched(API_PATCHED)}))
        cold.wait_for(API_PATCHED, "Approved")


def test_an_approval_written_with_kubectl_admits_a_pod_that_was_refused(plane: Plane, tmp_path: Path) -> None:
    with run_cluster_gate(plane, "admit", tmp_path) as lists:
        lists.put(image_list(API), records({}))
        lists.gate.wait_until_ready()
        ca = plane.credentials.ca.read_bytes()
        with attach(plane, "admit-hook", lists.gate.port, ca) as webhook:
            said = webhook.enforce.create(pod(API_PATCHED), "--dry-run=server")
            assert "(Unlisted)" in said.errors
            lists.put(records({API: patched(API_PATCHED)}))
            wait_until(lambda: webhook.enforce.create(pod(API_PATCHED)).is_admitted, f"{API_PATCHED} is admitted")
            assert f"use {API_USE}" in webhook.enforce.create(pod(API)).errors


def empty(cluster: ClusterGate) -> None:
    cluster.kubectl.patch("configmap/copa-image-list", {"data": {"images.txt": ""}})


def scribble(cluster: ClusterGate) -> None:
    cluster.kubectl.patch("configmap/copa-image-list", {"data": {"images.txt": "<<<<<<< HEAD\n=======\n"}})


def drop_data(cluster: ClusterGate) -> None:
    cluster.kubectl.patch("configmap/copa-image-list", {"data": None}, kind="merge")


def make_binary(cluster: ClusterGate) -> None:
    change = {"data": None, "binaryData": {"images.txt": "//79"}}
    cluster.kubectl.patch("configmap/copa-image-list", change, kind="merge")


def delete(cluster: ClusterGate) -> None:
    cluster.kubectl.do("delete", "configmap", "copa-image-list")


BREAKS: list[Callable[[ClusterGate], None]] = [empty, scribble, drop_data, make_binary, delete]


@pytest.mark.parametrize("break_it", BREAKS)
def test_a_main_list_that_breaks_changes_no_verdict_and_is_seen_everywhere(
    cluster: ClusterGate, break_it: Callable[[ClusterGate], None]
) -> None:
    heard, told = len(cluster.gate.events("data does not count")), set(cluster.events_on("copa-image-list"))
    break_it(cluster)
    cluster.gate.wait_until(lambda: cluster.problems != [])
    assert reasons(cluster) == IN_FORCE
    assert cluster.gate.ask("GET", "/readyz").status == 200
    assert all(problem.startswith("copa-image-list: ") for problem in cluster.problems)
    assert cluster.gate.metric(BAD_ENTRIES) >= 1
    cluster.gate.wait_until(lambda: len(cluster.gate.events("data does not count")) > heard)
    wait_until(lambda: set(cluster.events_on("copa-image-list")) - told, "an Event on copa-image-list")
    cluster.put(*WORLD, image_list(API, NEW))
    cluster.wait_for(NEW, "Unscanned")
    assert cluster.problems == []


def test_a_label_approves_and_excepts_nothing(cluster: ClusterGate) -> None:
    tool = "registry.example.com/stranger/tool:1"
    stranger = team_list(tool, name="stranger")
    data = dict(stranger.data)
    for part in (
        records(
            {FRONTEND: patched(FRONTEND), tool: patched(f"{tool}-patched-20260509")}, digests=[f"{FRONTEND} # clean"]
        ),
        exceptions(f"- {{image: '{FRONTEND}', reason: r, owner: o, expires: '2126-01-01T00:00:00Z'}}\n"),
        ConfigMap("policy", {}, {"unlisted": "allow", "patch_sla_hours": "87600", "unscanned": "deny"}),
    ):
        data |= part.data
    cluster.put(ConfigMap("stranger", stranger.labels, data))
    cluster.wait_for(tool, "Unscanned")
    assert reasons(cluster) == IN_FORCE
    assert cluster.reason(f"{tool}-patched-20260509") == "Unlisted"
    assert cluster.gate.ask("POST", "/v1/decisions", {"images": [tool]}).json["allowed"] is True
    ninth = dict(records({tool: patched(f"{tool}-patched-20260509")}).data)
    cluster.put(ConfigMap("copa-patched-digests-8", stranger.labels, ninth))
    later = "registry.example.com/stranger/later:1"
    cluster.put(team_list(later, name="later"))
    cluster.wait_for(later, "Unscanned")  # what was written before it has been read then
    assert (cluster.reason(tool), cluster.reason(f"{tool}-patched-20260509")) == ("Unscanned", "Unlisted")
    cluster.kubectl.do("delete", "configmap", "stranger", "later", "copa-patched-digests-8")
    cluster.wait_for(tool, "NotTracked")
    assert reasons(cluster) == IN_FORCE


def test_a_team_list_goes_with_its_label(cluster: ClusterGate) -> None:
    cluster.put(team_list(NOT_TRACKED, name="team"))
    cluster.wait_for(NOT_TRACKED, "Unscanned")
    cluster.kubectl.do("label", "configmap", "team", "patchgate.io/image-list-")
    cluster.wait_for(NOT_TRACKED, "NotTracked")
    cluster.kubectl.do("delete", "configmap", "team")


def test_a_flood_of_changes_ends_with_the_last_in_force(cluster: ClusterGate) -> None:
    for number in range(30):
        cluster.kubectl.patch(
            "configmap/copa-image-list", {"data": {"images.txt": f"{BASE}\n{API}\nx.io/f:{number}\n"}}
        )
    cluster.wait_for("x.io/f:29", "Unscanned")
    assert cluster.reason("x.io/f:28") == "Unlisted"


def test_without_the_right_to_watch_the_last_good_stays_until_it_is_given(cluster: ClusterGate) -> None:
    heard = len(cluster.gate.said)
    cluster.grant(RIGHTS | {"configmaps": ("get", "list")})
    cluster.gate.wait_until(lambda: cluster.problems != [], NOTICE_SECONDS)
    role = "give its service account a Role with get, list and watch on configmaps, create on events"
    assert cluster.problems == [
        f"source: may not watch configmaps in lists (403): {role}; the last good data stays in force"
    ]
    assert reasons(cluster) == IN_FORCE
    assert cluster.gate.ask("GET", "/readyz").status == 200
    assert cluster.gate.metric('patchgate_errors_total{where="source"}') >= 1
    assert len(cluster.gate.said) - heard <= 3
    cluster.grant(RIGHTS)
    cluster.put(image_list(API, NEW))
    cluster.wait_for(NEW, "Unscanned")


def test_without_the_right_to_write_events_all_else_goes_on(plane: Plane, tmp_path: Path) -> None:
    with run_cluster_gate(plane, "no-events", tmp_path) as quiet:
        quiet.grant(RIGHTS | {"events": ("list",)})
        quiet.put(image_list(API, "no image"))
        quiet.gate.wait_until_ready()
        quiet.gate.wait_until(lambda: quiet.gate.events("no Event could be written; all else goes on") != [])
        assert quiet.gate.metric('patchgate_errors_total{where="event"}') == 1
        quiet.put(image_list(API, NEW))
        quiet.wait_for(NEW, "Unscanned")


def run_command(cluster: ClusterGate, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "patchgate", *arguments, "--kubernetes", "--system-namespace", "lists"],
        env=os.environ | {"KUBECONFIG": str(cluster.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_check_and_report_read_the_cluster_once(cluster: ClusterGate) -> None:
    checked = run_command(cluster, "check", API)
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "PatchAvailable" in checked.stdout
    reported = run_command(cluster, "report")
    assert (reported.returncode, reported.stderr) == (1, "")
    assert FRONTEND in reported.stdout


def test_a_check_that_may_not_list_says_so_and_exits_2(cluster: ClusterGate) -> None:
    cluster.grant(RIGHTS | {"configmaps": ("get",)})
    wait_until(lambda: run_command(cluster, "check", API).returncode == 2, "the right is gone")
    said = run_command(cluster, "check", API)
    assert said.stdout == ""
    assert said.stderr == (
        "patchgate: may not list configmaps in lists (403): give its service account a Role with get, list and watch "
        "on configmaps, create on events\n"
    )


def test_a_strangers_metadata_that_no_python_could_hold_stop_nobody(plane: Plane, tmp_path: Path) -> None:
    stranger = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stranger"}, "data": {"x": "y"}}
    field = {"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    field_of_year_zero = field | {"time": "0000-06-01T00:00:00Z", "fieldsV1": {"f:data": {"f:x": {}}}}
    with run_cluster_gate(plane, "year-zero", tmp_path) as cluster:
        cluster.put(image_list(API))
        cluster.gate.wait_until_ready()
        cluster.kubectl.create(stranger)
        year_zero = stranger | {"metadata": {"name": "stranger", "managedFields": [field_of_year_zero]}}
        path = "/api/v1/namespaces/year-zero/configmaps/stranger"
        assert "0000-06-01" in cluster.kubectl.do("replace", "--raw", path, "-f", "-", given=year_zero).out
        cluster.put(records({API: patched(API_PATCHED)}))
        cluster.wait_for(API_PATCHED, "Approved")
        with start_cluster_gate(plane, "year-zero", cluster.kubeconfig) as fresh:
            fresh.wait_until_ready()
