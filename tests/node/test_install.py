"""`helm install` with the values that the chart comes with, on a real node: what people get of it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.node.installed import NAMESPACE, READY_SECONDS, Installed, is_refused, prepare_installed, remove
from tests.node.node import Node
from tests.node.programs import NAME
from tests.node.shop import API, API_PATCHED, ROLLING, ROLLING_PATCHED, Shop, shop_deployment, shop_pod
from tests.node.workloads import RESTRICTED, wait_for
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl, Said

pytestmark = pytest.mark.usefixtures("release_images")
TRY_TO_WRITE = """
import os, pathlib
print(os.getuid(), pathlib.Path("/proc/self/status").read_text().split("CapEff:")[1].split()[0])
pathlib.Path("/written").touch()
"""
MODES = ("enforce", "warn", "audit")


@pytest.fixture(scope="module")
def release(node: Node, helm: Helm, shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """Installed by one command; then people name images, and the patcher has been there."""
    release = prepare_installed(node, helm)
    try:
        release.do("install")
        release.fill(tmp_path_factory.mktemp("shop") / "configmaps", *shop.configmaps)
        yield release
    finally:
        remove(release, *MODES, "rolling")


@pytest.fixture(scope="module")
def enforced(node: Node, release: Installed) -> Kubectl:
    """A namespace without a label for us; an unpatched Pod is refused in it within a minute of the install."""
    inside = node.make_namespace("enforce", RESTRICTED)
    release.wait_until_armed(inside)
    return inside


def test_gates_and_buildkit_run_each_under_its_pod_security(release: Installed, enforced: Kubectl) -> None:  # noqa: ARG001
    release.wait_for_gates()
    level = "pod-security.kubernetes.io/enforce"
    assert release.system.get("namespace", NAMESPACE)["metadata"]["labels"][level] == "restricted"
    assert release.system.get("namespace", "copa-buildkit")["metadata"]["labels"][level] == "privileged"
    release.system.inside("copa-buildkit").do("rollout", "status", "deployment/patchgate-buildkit", "--timeout=120s")
    assert [each["name"] for each in release.webhooks] == [f"{mode}.patchgate.io" for mode in MODES]
    assert all(each["clientConfig"]["caBundle"] for each in release.webhooks)


def test_a_gate_runs_as_nobody_and_writes_nowhere_but_tmp(release: Installed, enforced: Kubectl) -> None:  # noqa: ARG001
    gate = f"deployment/{release.name}"
    said = release.system.ask("exec", gate, "--", "python3", "-c", TRY_TO_WRITE)
    assert said.out.split() == ["65532", "0" * 16]
    assert "Read-only file system" in said.errors


def test_helm_test_passes_and_shows_what_it_saw(release: Installed, enforced: Kubectl) -> None:  # noqa: ARG001
    for _ in range(2):
        result, _, log = release.run("test", "--logs").partition(f"POD LOGS: {release.name}-test\n")
        assert "Succeeded" in result
        assert log.split()[-1] == "armed"


def test_an_unpatched_pod_is_refused_with_the_patched_name(enforced: Kubectl) -> None:
    reason, message = enforced.create(shop_pod(API)).refusal
    assert reason == "PatchAvailable"
    assert API in message
    assert f"{API_PATCHED}@sha256:" in message


def test_so_is_a_deployment(enforced: Kubectl) -> None:
    _, message = enforced.create(shop_deployment(API, "unpatched")).refusal
    assert f"{API_PATCHED}@sha256:" in message


def test_the_name_from_the_message_runs(enforced: Kubectl) -> None:
    _, message = enforced.create(shop_pod(API)).refusal
    use = next(word for word in message.split() if word.startswith(f"{API_PATCHED}@")).rstrip(",.;:)")
    enforced.do("create", "-f", "-", given=shop_pod(use, "patched"))
    wait_for(enforced, "pod/patched", "condition=Ready")
    enforced.do("create", "-f", "-", given=shop_deployment(API_PATCHED, "patched"))
    wait_for(enforced, "deployment/patched", "condition=Available")


def test_the_label_of_a_namespace_is_its_mode(node: Node, enforced: Kubectl) -> None:
    warned = node.make_namespace("warn", {"patchgate.io/mode": "warn"})
    audited = node.make_namespace("audit", {"patchgate.io/mode": "audit"})
    assert is_refused(enforced)
    said = warned.create(shop_pod(API))
    assert said.is_admitted
    assert any(API_PATCHED in warning for warning in said.warnings)
    said = audited.create(shop_pod(API, "audited"))
    assert (said.is_admitted, said.warnings) == (True, ())

    def is_annotated() -> bool:
        annotations: list[dict[str, Any]] = [
            each.get("annotations", {}) for each in node.read_audit("audit", "audited")
        ]
        return any("audit.patchgate.io" in key for each in annotations for key in each)

    wait_until(is_annotated, "the audit log says what would have been")


@pytest.mark.usefixtures("enforced")
def test_a_lost_pod_comes_back_within_the_grace_and_not_after_it(node: Node) -> None:
    inside = node.make_namespace("rolling", {"patchgate.io/mode": "audit", **RESTRICTED})
    for image, name in {ROLLING: "fresh", API: "old"}.items():
        inside.do("create", "-f", "-", given=shop_deployment(image, name))
    for name in ("fresh", "old"):
        wait_for(inside, f"deployment/{name}", "condition=Available")
    inside.do("label", "namespace", "rolling", "patchgate.io/mode-", "--overwrite")
    wait_until(lambda: is_refused(inside), "enforced")
    inside.do("delete", "pods", "--all", "--now")
    wait_for(inside, "deployment/fresh", "condition=Available")
    (pod,) = inside.get("pods", "-l", "app=fresh")["items"]
    assert pod["spec"]["containers"][0]["image"] == ROLLING
    assert ROLLING_PATCHED in inside.create(shop_pod(ROLLING)).refusal[1]

    def read_why() -> str:
        return str(inside.do("get", "events", "--field-selector=reason=FailedCreate", "-o", "json").out)

    wait_until(lambda: API_PATCHED in read_why(), "the ReplicaSet says why it has no Pod")
    assert inside.get("pods", "-l", "app=old")["items"] == []


def test_no_gate_was_started_twice(release: Installed, enforced: Kubectl) -> None:  # noqa: ARG001
    assert [pod["status"]["containerStatuses"][0]["restartCount"] for pod in release.list_gates()] == [0, 0]


def test_a_drained_node_leaves_one_gate_until_the_other_is_back(
    node: Node, release: Installed, enforced: Kubectl
) -> None:
    first, second = (pod["metadata"]["name"] for pod in release.list_gates())
    with keep_pods_away(node):
        assert evict(release, first).is_admitted
        said = evict(release, second)
        assert "(TooManyRequests)" in said.errors
        assert "would violate the pod's disruption budget" in said.errors
        assert is_refused(enforced)
    release.system.do("rollout", "status", f"deployment/{release.name}", "--timeout=60s")
    wait_until(lambda: evict(release, second).is_admitted, "the other one may go", READY_SECONDS)


@contextlib.contextmanager
def keep_pods_away(node: Node) -> Iterator[None]:
    """Have no Pod placed on the node, as while it is drained."""
    node.kubectl.do("cordon", NAME)
    try:
        yield
    finally:
        node.kubectl.do("uncordon", NAME)


def evict(release: Installed, pod: str) -> Said:
    """Ask for a Pod's eviction, as a drain does."""
    path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/eviction"
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": NAMESPACE}}
    return release.system.ask("create", "--raw", path, "-f", "-", given=eviction)
