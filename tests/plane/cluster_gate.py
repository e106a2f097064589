"""A gate that reads its lists from the plane: as a user of its own, with the Role that its messages ask for."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from patchgate.configmaps.configmap import ConfigMap
from tests.conftest import Gate, run_gate, write_configmaps
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Kubectl

RIGHTS: dict[str, Sequence[str]] = {"configmaps": ("get", "list", "watch"), "events": ("create",)}


NOTICE_SECONDS = 120.0
"""Within which a gate must have noticed that it cannot follow any more."""


@dataclass(frozen=True)
class ClusterGate:
    """A gate and its namespace. Its certificate is for a webhook `NAMESPACE-hook`.

    Attributes:
        gate: in a process of its own.
        kubectl: as cluster-admin, in the namespace that the gate reads.
        kubeconfig: the gate's.
        folder: for the ConfigMaps that a test writes.
    """

    gate: Gate
    kubectl: Kubectl
    kubeconfig: Path
    folder: Path

    def put(self, *configmaps: ConfigMap) -> None:
        """Write ConfigMaps with kubectl, their times moved to the real clock."""
        for configmap in configmaps:
            write_configmaps(self.folder, configmap)
            file = f"{self.folder}/{configmap.name}.yaml"
            if not self.kubectl.ask("replace", "-f", file).is_admitted:
                self.kubectl.do("create", "-f", file)

    def grant(self, rights: Mapping[str, Sequence[str]]) -> None:
        """Give the gate these rights, resource → verbs, and no other."""
        self.kubectl.do("apply", "-f", "-", given=_role(rights))

    def reason(self, image: str) -> str:
        return str(self.gate.ask("POST", "/v1/decisions", {"images": [image]}).json["reason"])

    def wait_for(self, image: str, reason: str) -> None:
        """Wait for a verdict, which no test expects to take long."""
        self.gate.wait_until(lambda: self.reason(image) == reason)

    @property
    def problems(self) -> list[str]:
        lines = self.gate.ask("GET", "/readyz?verbose").text.splitlines()
        return [line.removeprefix("problem: ") for line in lines if line.startswith("problem: ")]

    def events_on(self, configmap: str) -> list[str]:
        """The messages of the Events on a ConfigMap."""
        found = self.kubectl.get("events", "--field-selector", f"involvedObject.name={configmap}")["items"]
        return [event["message"] for event in found]


@contextlib.contextmanager
def run_cluster_gate(plane: Plane, namespace: str, folder: Path, *arguments: str) -> Iterator[ClusterGate]:
    """Run a gate on a new namespace until the block ends. arguments: more of `serve`."""
    kubectl = plane.make_namespace(namespace)
    kubectl.do("create", "-f", "-", given=_role(RIGHTS))
    kubectl.do("create", "rolebinding", "gate", "--role=gate", f"--user=gate-{namespace}")
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, f"gate-{namespace}")
    with start_cluster_gate(plane, namespace, kubeconfig, *arguments) as gate:
        yield ClusterGate(gate, kubectl, kubeconfig, folder)


@contextlib.contextmanager
def start_cluster_gate(plane: Plane, namespace: str, kubeconfig: Path, *more: str) -> Iterator[Gate]:
    """Run a gate on a namespace that there is, whether or not kube-apiserver runs."""
    certificate, key = plane.credentials.issue_server(namespace, f"{namespace}-hook.copa-system.svc", "127.0.0.1")
    arguments = ["--kubernetes", "--system-namespace", namespace, "--tls-cert", str(certificate), "--tls-key", str(key)]
    environment = {"KUBECONFIG": str(kubeconfig)}
    with run_gate(None, plane.credentials.ca, *arguments, *more, environment=environment) as gate:
        yield gate


def _role(rights: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": verbs} for resource, verbs in rights.items()]
    metadata = {"name": "gate"}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}
