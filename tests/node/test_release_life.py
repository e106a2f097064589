"""What becomes of people's Pods while a release under `Fail` is changed, broken, removed and made anew."""

import base64
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.chart.release import DATA
from tests.node.creations import keep_creating
from tests.node.installed import (
    FAIL,
    GATES,
    READY_SECONDS,
    Installed,
    is_admitted,
    is_refused,
    prepare_installed,
    remove,
)
from tests.node.node import Node
from tests.node.shop import API_PATCHED, Shop, shop_pod
from tests.node.workloads import RESTRICTED, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("release_images")
SECRET = "patchgate-certificate"  # noqa: S105 -- its name
UNANSWERED = "failed calling webhook"
CHANGED: dict[str, Any] = {
    "webhook": {"failurePolicy": "Fail", "timeoutSeconds": 5},
    "gate": {"podAnnotations": {"changed": "yes"}},
}
"""New webhooks, and new Pods."""


@pytest.fixture(scope="module")
def release(node: Node, helm: Helm, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    release = prepare_installed(node, helm)
    try:
        release.do("install", FAIL)
        release.fill(tmp_path_factory.mktemp("life") / "configmaps", *shop.configmaps)
        yield release
    finally:
        remove(release, "life", "steady")


@pytest.fixture(scope="module")
def people(node: Node, release: Installed) -> Kubectl:
    """A namespace of theirs, in which an unpatched Pod is refused."""
    inside = node.make_namespace("life", RESTRICTED)
    release.wait_until_armed(inside)
    release.wait_for_gates()
    return inside


def wait_until_in_force(release: Installed, timeout_seconds: int) -> None:
    def is_so() -> bool:
        return {each["timeoutSeconds"] for each in release.webhooks} == {timeout_seconds}

    wait_until(is_so, "the webhooks are those of the release", READY_SECONDS)


def test_no_good_pod_is_refused_and_no_bad_one_admitted_whatever_is_rolled(
    node: Node, release: Installed, people: Kubectl, tmp_path: Path
) -> None:
    inside = node.make_namespace("steady", RESTRICTED)
    wait_until(lambda: is_refused(inside), "enforced")
    with keep_creating(node, "steady") as creations:
        release.do("upgrade", CHANGED)
        release.wait_for_gates()
        wait_until_in_force(release, 5)
        release.run("rollback", "1")
        release.wait_for_gates()
        wait_until_in_force(release, 3)
        release.system.do("rollout", "restart", f"deployment/{release.name}")
        release.wait_for_gates()
        roll_leaf(release)
        roll_ca(release, tmp_path)
    assert creations.wrong == []
    assert creations.refused > 0
    pods = inside.do(
        "get", "pods", "-o", "jsonpath={range .items[*]}{.spec.containers[0].image}{'\\n'}{end}"
    ).out.split()
    assert set(pods) == {API_PATCHED}
    assert len(pods) == creations.admitted
    assert is_admitted(people)


def roll_leaf(release: Installed) -> None:
    """Have the gate issue another leaf: the one that it has is emptied by hand."""
    before = count_loaded(release)
    put(release, {"tls.crt": b"", "tls.key": b""})
    wait_until_another_is_served(release, before)


def roll_ca(release: Installed, folder: Path) -> None:
    """Put a pair of another CA in the Secret, made as docs/certificates.md says."""
    name = f"{release.name}.{release.system.namespace}"
    names = (f"{name}.svc", f"{name}.svc.cluster.local", name, release.name, "localhost", "127.0.0.1", "::1")
    subprocess.run([sys.executable, "-m", "patchgate", "certs", "issue", "-d", folder, *names], check=True)
    before = count_loaded(release)
    put(release, {file: (folder / file).read_bytes() for file in ("ca.crt", "ca.key", "tls.crt", "tls.key")})
    wait_until_another_is_served(release, before)
    trusted = base64.b64decode(release.webhooks[0]["clientConfig"]["caBundle"])
    assert (folder / "ca.crt").read_bytes().strip() in trusted


def count_loaded(release: Installed) -> Counter[str]:
    """Count, for each gate, the certificates that it has loaded."""
    said = release.system.do("logs", "-l", GATES, "--tail=-1", "--prefix").out.splitlines()
    return Counter(line.partition(" ")[0] for line in said if '"certificate loaded"' in line)


def wait_until_another_is_served(release: Installed, before: Counter[str]) -> None:
    """Wait until every gate has loaded one more."""
    wait_until(lambda: len(count_loaded(release) - before) == len(before) == 2, "both serve it", READY_SECONDS)


def put(release: Installed, values: Mapping[str, bytes]) -> None:
    """Change values of the gates' Secret by hand."""
    data = {key: base64.b64encode(value).decode() for key, value in values.items()}
    assert release.system.patch(f"secret/{SECRET}", {"data": data}, kind="merge").is_admitted


def test_a_secret_deleted_by_hand_is_written_back_as_it_was(release: Installed, people: Kubectl) -> None:
    before = release.system.get("secret", SECRET)
    release.system.do("delete", "secret", SECRET)
    wait_until(lambda: release.system.ask("get", "secret", SECRET).is_admitted, "the Secret is there again")
    after = release.system.get("secret", SECRET)
    assert (after["data"], after["type"]) == (before["data"], before["type"])
    assert after["metadata"]["labels"] == before["metadata"]["labels"]
    assert is_refused(people)
    assert is_admitted(people)
    release.do("upgrade", FAIL)


def test_gates_that_are_killed_together_come_back_alone(release: Installed, people: Kubectl) -> None:
    before = {pod["metadata"]["name"] for pod in release.list_gates()}
    release.system.do("delete", "pods", "-l", GATES, "--grace-period=0", "--force")
    release.wait_for_gates()
    assert not before & {pod["metadata"]["name"] for pod in release.list_gates()}
    wait_until(lambda: is_refused(people), "unpatched Pods are refused again", READY_SECONDS)
    assert is_admitted(people)


def test_without_a_gate_nobody_makes_a_pod_until_the_way_out_is_taken(release: Installed, people: Kubectl) -> None:
    release.system.do("scale", f"deployment/{release.name}", "--replicas=0")
    wait_until(lambda: not release.list_gates(), "no gate is left", READY_SECONDS)
    assert UNANSWERED in people.create(shop_pod(API_PATCHED)).errors
    release.system.do("delete", "validatingwebhookconfiguration", release.name)
    wait_until(lambda: is_admitted(people), "let in again")
    people.do("create", "-f", "-", given=shop_pod(API_PATCHED, "let-in"))
    wait_for(people, "pod/let-in", "condition=Ready")
    release.do("upgrade", FAIL)
    release.wait_for_gates()
    release.wait_until_armed(people)
    assert is_admitted(people)


def test_an_uninstall_leaves_data_and_ca_alone_and_stops_nobody(release: Installed, people: Kubectl) -> None:
    (bundle,) = {each["clientConfig"]["caBundle"] for each in release.webhooks}
    release.run("uninstall")
    people.do("create", "-f", "-", given=shop_pod(API_PATCHED, "afterwards"))
    assert release.webhooks == []
    wait_until(lambda: release.list_left() == {*DATA, f"Secret/{SECRET}"}, "the rest is gone", READY_SECONDS)
    assert not release.system.ask("get", "namespace", "copa-buildkit").is_admitted
    wait_for(people, "pod/afterwards", "condition=Ready")
    release.do("install", FAIL)
    release.wait_until_armed(people)
    assert {each["clientConfig"]["caBundle"] for each in release.webhooks} == {bundle}
