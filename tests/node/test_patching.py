"""The CronJob on a real node: triggered by hand, with the chart's BuildKit, it patches what runs there afterwards."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.node import addresses
from tests.node.debian_images import DATABASE, TEXT, TLS
from tests.node.installed import READY_SECONDS, Installed, prepare_installed, remove
from tests.node.node import Node
from tests.node.shop import shop_pod
from tests.node.workloads import RESTRICTED, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tests.world import image_list

pytestmark = pytest.mark.usefixtures("release_images", "debian_images", "way_out")
JOB = "by-hand"
RUN_SECONDS = 240.0
VALUES: dict[str, Any] = {
    "patcher": {
        "plainHttp": [addresses.REGISTRY],
        "trivy": {"dbRepository": DATABASE},
        "extraEnv": [
            {"name": "HTTP_PROXY", "value": addresses.PROXY},
            {"name": "NO_PROXY", "value": addresses.NODE},
        ],
    },
    "buildkit": {
        "registries": [
            {"host": addresses.REGISTRY, "http": True},
            {"host": "ghcr.io", "mirrors": [addresses.REGISTRY]},
        ]
    },
}
"""What a cluster without a way out but its proxy is told, whose registry has no TLS."""


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
    run_job(release, JOB)
    written = release.system.get("configmap", "copa-patched-digests")["data"]["records.json"]
    return dict(json.loads(written)["records"])


def run_job(release: Installed, name: str) -> str:
    """Trigger the CronJob as docs and NOTES say; gives the log of the Job, which must go well."""
    release.system.do("create", "job", "--from=cronjob/copa-image-patcher", name)

    def is_over() -> bool:
        status = release.system.get("job", name)["status"]
        return bool(status.get("succeeded") or status.get("failed"))

    wait_until(is_over, "the Job is over", RUN_SECONDS)
    log = release.system.do("logs", f"job/{name}").out
    assert release.system.get("job", name)["status"].get("succeeded") == 1, log
    return log


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


def test_run_again_it_finds_nothing_to_do(release: Installed, records: dict[str, Any], tmp_path: Path) -> None:  # noqa: ARG001
    log = run_job(release, "again")
    ended = [json.loads(line) for line in log.splitlines() if '"event":"ended"' in line]
    assert [each["results"] for each in ended] == [{"unchanged": 2}]
