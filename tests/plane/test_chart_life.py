"""The life of a release, by the real Helm: armed once the gate is ready, and then over whatever Helm does.

Each step asks kube-apiserver what a person would get: an unpatched Pod refused, a patched one admitted.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import CHART, Helm
from tests.chart.release import DATA
from tests.plane.control_plane import Plane, wait_until
from tests.plane.installed import Installation, prepare
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod
from tests.plane.world import API, API_PATCHED, WORLD

FAIL: dict[str, Any] = {"webhook": {"failurePolicy": "Fail"}}
MODES = ("enforce", "warn", "audit")


@pytest.fixture
def release(plane: Plane, helm: Helm, request: pytest.FixtureRequest) -> Iterator[Installation]:
    """A release that is not installed yet, named for its test; whatever the test does, nothing is left in force."""
    name = "chart-" + request.node.name.removeprefix("test_").replace("_", "-")[:24].strip("-")
    release = prepare(plane, helm, name)
    yield release
    release.system.ask("delete", "validatingwebhookconfiguration", name, "--ignore-not-found")
    release.system.ask("delete", "clusterrole,clusterrolebinding", name, "--ignore-not-found")


@pytest.fixture
def shop(plane: Plane, release: Installation) -> Kubectl:
    """A namespace of people's own."""
    return plane.make_namespace(f"{release.name}-shop")


def is_refused(shop: Kubectl) -> bool:
    return "a patched image is available" in shop.create(pod(API), "--dry-run=server").errors


def is_admitted(shop: Kubectl) -> bool:
    return shop.create(pod(API_PATCHED), "--dry-run=server").is_admitted


@contextmanager
def watch_admissions(shop: Kubectl) -> Iterator[list[str]]:
    """Ask in turn for an unpatched and a patched Pod until the block ends; gives what was wrong."""
    wrong: list[str] = []
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            wrong.extend(["an unpatched Pod was admitted"] if not is_refused(shop) else [])
            wrong.extend(["a patched Pod was refused"] if not is_admitted(shop) else [])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield wrong
    finally:
        ended.set()
        thread.join()


def test_fail_from_the_first_install_on_stops_nobody_before_the_gate_is_ready_and_everybody_when_it_is_gone(
    release: Installation, shop: Kubectl, tmp_path: Path
) -> None:
    release.do("install", FAIL)
    assert release.webhooks == []
    assert shop.create(pod(API), "--dry-run=server").is_admitted
    release.fill(tmp_path, *WORLD)
    with release.run_gate() as gate:
        gate.wait_until(lambda: bool(gate.events("armed: kube-apiserver asks by these webhooks")))
        wait_until(lambda: is_refused(shop), "refused")
        assert is_admitted(shop)
        assert [each["name"] for each in release.webhooks] == [f"{mode}.patchgate.io" for mode in MODES]
        assert all(each["clientConfig"]["caBundle"] for each in release.webhooks)
        gate.wait_until(lambda: gate.metric("patchgate_armed") == 1)
        change = [{"op": "replace", "path": "/webhooks/0/rules/0/resources", "value": ["replicationcontrollers"]}]
        assert release.system.patch(f"validatingwebhookconfiguration/{release.name}", change, kind="json").is_admitted
        wait_until(lambda: "pods" in release.webhooks[0]["rules"][0]["resources"], "what somebody changed put back")
    assert "failed calling webhook" in shop.create(pod(API_PATCHED), "--dry-run=server").errors


def test_upgrade_and_rollback_leave_no_gap_and_the_ca_as_it_was(
    release: Installation, shop: Kubectl, tmp_path: Path
) -> None:
    release.do("install", FAIL)
    release.fill(tmp_path, *WORLD)
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed")
        before = [each["clientConfig"]["caBundle"] for each in release.webhooks]
        with watch_admissions(shop) as wrong:
            release.do("upgrade", {"webhook": {"failurePolicy": "Fail", "timeoutSeconds": 5}})
            with release.run_gate(
                port=0
            ):  # a Pod of the new ReplicaSet: the old one does not apply what it does not know
                wait_until(lambda: {each["timeoutSeconds"] for each in release.webhooks} == {5}, "the upgrade in force")
            release.run("rollback", "1")
            wait_until(lambda: {each["timeoutSeconds"] for each in release.webhooks} == {3}, "the rollback in force")
        assert wrong == []
        assert [each["clientConfig"]["caBundle"] for each in release.webhooks] == before


def test_an_uninstall_opens_at_once_and_leaves_data_and_ca_which_the_next_install_takes_over(
    release: Installation, shop: Kubectl, tmp_path: Path
) -> None:
    release.do("install", FAIL)
    release.fill(tmp_path, *WORLD)
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed")
    (bundle,) = {each["clientConfig"]["caBundle"] for each in release.webhooks}
    data = release.system.get("configmap", "copa-patched-digests")["data"]
    assert not is_admitted(shop)
    release.run("uninstall")
    assert release.webhooks == []
    wait_until(lambda: is_admitted(shop), "admitted though there is no gate")
    wait_until(lambda: release.list_left() == {*DATA, f"Secret/{release.name}-certificate"}, "the rest gone")
    said = release.helm.ask("install", "another", str(CHART), "--namespace", release.system.namespace)
    assert "invalid ownership metadata" in said.errors
    release.do("install", FAIL)
    assert release.system.get("configmap", "copa-patched-digests")["data"] == data
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed again")
        assert {each["clientConfig"]["caBundle"] for each in release.webhooks} == {bundle}


def test_the_way_out_needs_no_gate_and_an_upgrade_undoes_it(
    release: Installation, shop: Kubectl, tmp_path: Path
) -> None:
    release.do("install", FAIL)
    release.fill(tmp_path, *WORLD)
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed")
    assert not is_admitted(shop)
    release.system.do("delete", "validatingwebhookconfiguration", release.name)
    wait_until(lambda: is_admitted(shop), "let in again")
    release.do("upgrade", FAIL)
    assert is_admitted(shop)
    with release.run_gate():
        wait_until(lambda: is_refused(shop), "armed again")


def test_a_list_that_people_edit_is_theirs_over_upgrades(release: Installation) -> None:
    release.do("install")
    change = {"data": {"images.txt": f"{API}\n", "patch_sla_hours": "48"}}
    assert release.system.patch("configmap/copa-image-list", change, kind="merge").is_admitted
    release.do("upgrade", {"data": {"imageList": {"severity_threshold": "HIGH"}}})
    assert release.system.get("configmap", "copa-image-list")["data"] == change["data"] | {"severity_threshold": "HIGH"}


def test_buildkit_s_certificates_stay_over_upgrades(release: Installation) -> None:
    release.do("install")
    before = release.system.get("secret", f"{release.name}-buildkit-client")["data"]
    release.do("upgrade", FAIL)
    assert release.system.get("secret", f"{release.name}-buildkit-client")["data"] == before
