"""The CronJob on a real node: triggered by hand, with the chart's BuildKit, it patches what runs there afterwards."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.node import addresses
from tests.node.debian_images import TEXT, TLS
from tests.node.installed import READY_SECONDS, Installed, prepare_installed, remove
from tests.node.node import Node
from tests.node.patch_job import PATCHER, REGISTRIES, read_records, read_results, run_job
from tests.node.shop import shop_pod
from tests.node.workloads import RESTRICTED, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tests.world import image_list

pytestmark = pytest.mark.usefixtures("release_images", "debian_images", "way_out")
VALUES: dict[str, Any] = {"patcher": PATCHER, "buildkit": {"registries": REGISTRIES}}


@pytest.fixture(scope="module")
def release(node: Node, helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    release = prepare_installed(node, helm)
    try:
        release.do("install", VALUES)
        listed = image_list(TLS, TEXT, severity_threshold="HIGH")
        release.fill(tmp_path_factory.mktemp("patching") / "configmaps", listed)
        release.wait_for_gates()
        yield release
    finally:
        remove(release, "patching")


@pytest.fixture(scope="module")
def people(node: Node, release: Installed) -> Kubectl:
    """A namespace of theirs, once kube-apiserver asks the gate."""
    wait_until(lambda: release.webhooks, "armed", READY_SECONDS)
    return node.make_namespace("patching", RESTRICTED)


@pytest.fixture(scope="module")
def records(release: Installed, people: Kubectl) -> dict[str, Any]:  # noqa: ARG001 -- before it is patched
    """What the Job has written."""
    run_job(release, "by-hand")
    return read_records(release)


def test_it_patches_for_real(node: Node, records: dict[str, Any]) -> None:
    for image in (TLS, TEXT):
        record = records[image]
        assert record["state"] == "patched"
        assert record["fixable_before"]
        assert record["fixable_after"] == {}
        repository, tag = record["approved_reference"].removeprefix(f"{addresses.REGISTRY}/").split(":")
        assert node.registry.read_digest(repository, tag) == record["approved_digest"]


def test_the_gate_hears_of_it_and_the_patched_image_runs(people: Kubectl, records: dict[str, Any]) -> None:
    use = f"{records[TLS]['approved_reference']}@{records[TLS]['approved_digest']}"
    wait_until(lambda: use in people.create(shop_pod(TLS), "--dry-run=server").errors, "the unpatched one is refused")
    people.do("create", "-f", "-", given=shop_pod(use, "patched"))
    wait_for(people, "pod/patched", "condition=Ready")
    found = re.search(r"libexpat1 ([^ ,]+)", records[TLS]["message"])
    assert found, records[TLS]["message"]
    is_fixed = f"dpkg --compare-versions $(dpkg-query -W -f '${{Version}}' libexpat1) ge {found[1]}"
    assert people.ask("exec", "patched", "--", "sh", "-c", is_fixed).code == 0


def test_run_again_it_finds_nothing_to_do(release: Installed, records: dict[str, Any]) -> None:  # noqa: ARG001
    run_job(release, "again")
    assert read_results(release, "again") == [{"unchanged": 2}]
