"""Where the chart gives BuildKit a user namespace of its own: what the nodes say, asked by the real Helm."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART, Helm
from tests.chart.matrix import MATRIX
from tests.chart.rendering import NAMESPACE, Chart
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Kubectl
from tests.plane.test_chart_objects import make_pod

ABLE = {"name": "", "features": {"userNamespaces": True}}
UNABLE = {"name": "", "features": {"userNamespaces": False}}
OTHER = {"name": "gvisor", "features": {"userNamespaces": True}}  # a handler that BuildKit's Pod does not use
NODE_INFO = (
    *("machineID", "systemUUID", "bootID", "osImage", "containerRuntimeVersion", "kubeletVersion"),
    *("kubeProxyVersion", "operatingSystem", "architecture"),
)
"""What a node's status must have beside its kernel's version."""
NEW, OLD = "6.8.0-1021-aws", "5.14.0-503.el9.x86_64"


@pytest.fixture
def nodes(plane: Plane) -> Iterator["Nodes"]:
    nodes = Nodes(plane.kubectl)
    yield nodes
    nodes.remove()


class Nodes:
    """Objects of nodes, with the status that their kubelets would write."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl
        self._names: list[str] = []

    def add(self, kernel: str, *handlers: Mapping[str, Any], **labels: str) -> None:
        name = f"node-{len(self._names)}"
        self._names.append(name)
        labels = {"kubernetes.io/os": labels.pop("os", "linux"), **labels}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
        self._kubectl.do("create", "-f", "-", given=node)
        info = dict.fromkeys(NODE_INFO, "")
        status = {"nodeInfo": {**info, "kernelVersion": kernel}, "runtimeHandlers": list(handlers)}
        self._kubectl.do(
            "patch", "node", name, "--subresource=status", "--type=merge", "-p", yaml.safe_dump({"status": status})
        )

    def remove(self) -> None:
        for name in self._names:
            self._kubectl.do("delete", "node", name)


def has_user_namespace(plane: Plane, helm: Helm, values: Mapping[str, Any] | None = None) -> bool:
    """Tell what `helm install` would do, which asks kube-apiserver for the nodes."""
    asking = Helm(helm.program, plane.kubectl.kubeconfig)
    command = ("install", "asked", str(CHART), "--namespace", NAMESPACE, "--dry-run=server", "-o", "json")
    own = ("--set", "buildkit.namespace=asked-buildkit")  # another module makes the default one
    manifest = yaml.safe_load(asking.do(*command, *own, values=values))["manifest"]
    (pod,) = [
        each["spec"]["template"]["spec"]
        for each in yaml.safe_load_all(manifest)
        if each and (each["kind"], each["metadata"]["name"]) == ("Deployment", "asked-buildkit")
    ]
    return pod.get("hostUsers") is False


@pytest.mark.parametrize(
    ("kernel", "handlers", "expected"),
    [
        (NEW, [ABLE, OTHER], True),
        (NEW, [UNABLE, OTHER], False),
        (NEW, [OTHER], False),
        (NEW, [], False),
        (OLD, [ABLE], False),
        ("6.3.0", [ABLE], True),
        ("6.2.16-20-generic", [ABLE], False),
    ],
)
def test_it_follows_what_the_node_reports(
    plane: Plane, helm: Helm, nodes: Nodes, *, kernel: str, handlers: list[dict[str, Any]], expected: bool
) -> None:
    nodes.add(kernel, *handlers)
    assert has_user_namespace(plane, helm) is expected


def test_one_node_that_cannot_keeps_it_off_unless_buildkit_never_runs_there(
    plane: Plane, helm: Helm, nodes: Nodes
) -> None:
    nodes.add(NEW, ABLE, pool="build")
    nodes.add(OLD, UNABLE, pool="old")
    nodes.add("10.0.20348", os="windows")
    assert not has_user_namespace(plane, helm)
    assert has_user_namespace(plane, helm, {"buildkit": {"nodeSelector": {"pool": "build"}}})
    assert not has_user_namespace(plane, helm, {"buildkit": {"nodeSelector": {"pool": "nowhere"}}})


def test_what_people_say_comes_first(plane: Plane, helm: Helm, nodes: Nodes) -> None:
    nodes.add(NEW, ABLE)
    assert not has_user_namespace(plane, helm, {"buildkit": {"userNamespace": False}})


def test_a_cluster_without_a_node_has_none(plane: Plane, helm: Helm) -> None:
    assert not has_user_namespace(plane, helm)


def test_kube_apiserver_takes_the_whole_of_proc_with_a_user_namespace_alone(plane: Plane, helm: Helm) -> None:
    inside = plane.make_namespace("user-namespace", {"pod-security.kubernetes.io/enforce": "privileged"})
    for name, workload in {
        "user-namespace": "patchgate-buildkit",
        "user-namespace-sidecar": "copa-image-patcher",
    }.items():
        pod = make_pod(Chart(helm).render(MATRIX[name]), workload)
        assert inside.create(pod, "--dry-run=server", "--validate=strict").is_admitted
        pod["spec"]["hostUsers"] = True
        said = inside.create(pod, "--dry-run=server")
        assert "`hostUsers` must be false to use `Unmasked`" in said.errors


def test_pod_security_still_keeps_it_out_of_a_baseline_namespace_for_its_seccomp_profile(
    plane: Plane, helm: Helm
) -> None:
    inside = plane.make_namespace("user-namespace-baseline", {"pod-security.kubernetes.io/enforce": "baseline"})
    said = inside.create(
        make_pod(Chart(helm).render(MATRIX["user-namespace"]), "patchgate-buildkit"), "--dry-run=server"
    )
    assert "violates PodSecurity" in said.errors
    assert "seccompProfile" in said.errors
    assert "procMount" not in said.errors
