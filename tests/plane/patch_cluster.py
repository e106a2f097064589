"""A namespace as the chart makes it for the patcher, and its ServiceAccount with the Role of docs/cluster.md."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import ApiClient, Configuration, CoreV1Api
from kubernetes.config import load_kube_config

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.patcher.cluster.hold import ClaimPace
from patchgate.patcher.cluster.store import ClusterStore, StorePace
from patchgate.policy.part import RecordsPart
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Kubectl
from tests.world import NAMES, NOW

DOCUMENT = Path(__file__).parents[2] / "docs/cluster.md"
QUICK = StorePace(claims=ClaimPace(seconds=4, renew_seconds=0.5, poll_seconds=0.05))
Rules = list[dict[str, Any]]


@dataclass(frozen=True)
class PatchCluster:
    """A namespace with its ConfigMaps.

    Attributes:
        kubectl: as cluster-admin, in the namespace.
        kubeconfig: of the patcher's ServiceAccount, by a token.
    """

    kubectl: Kubectl
    kubeconfig: Path

    @property
    def namespace(self) -> str:
        return self.kubectl.namespace

    def put(self, *configmaps: ConfigMap) -> None:
        """Write ConfigMaps, in the place of what there is."""
        for configmap in configmaps:
            metadata = {"name": configmap.name, "labels": dict(configmap.labels)}
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(configmap.data)}
            if not self.kubectl.ask("replace", "-f", "-", given=obj).is_admitted:
                self.kubectl.do("create", "-f", "-", given=obj)

    def get(self, name: str = NAMES.records) -> dict[str, Any]:
        obj: dict[str, Any] = self.kubectl.get("configmap", name)
        return obj

    def read(self, name: str = NAMES.records) -> RecordsPart:
        return read_records(ConfigMap(name, {}, self.get(name).get("data", {})), None, NOW)

    def open_store(self, kubeconfig: Path | None = None) -> ClusterStore:
        return ClusterStore(make_api(kubeconfig or self.kubeconfig), self.namespace, NAMES, lambda: NOW, pace=QUICK)

    def grant(self, change: Callable[[Rules], Rules]) -> None:
        """Give the patcher the Role of the document, changed."""
        role = read_role()
        role["metadata"]["namespace"] = self.namespace
        self.kubectl.do("apply", "-f", "-", given=role | {"rules": change(role["rules"])})

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.kubectl.get("events")["items"]
        return found


def make_api(kubeconfig: Path) -> CoreV1Api:
    configuration = Configuration()
    load_kube_config(str(kubeconfig), client_configuration=configuration)
    configuration.retries = False
    return CoreV1Api(ApiClient(configuration))


def read_role() -> dict[str, Any]:
    """Read the patcher's Role out of the document that people go by."""
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    role: dict[str, Any]
    (role,) = (obj for obj in map(yaml.safe_load, blocks) if obj["metadata"]["name"] == "patchgate-patcher")
    return role


def make_patch_cluster(plane: Plane, name: str, folder: Path) -> PatchCluster:
    """Make a namespace with empty ConfigMaps of records, and the patcher's account."""
    kubectl = plane.make_namespace(name)
    kubectl.do("create", "serviceaccount", "patcher")
    kubectl.do("create", "rolebinding", "patcher", "--role=patchgate-patcher", f"--serviceaccount={name}:patcher")
    token = kubectl.do("create", "token", "patcher").out.strip()
    cluster = PatchCluster(kubectl, write_kubeconfig(plane, folder, token))
    cluster.grant(lambda rules: rules)
    for each in NAMES.all_records:
        kubectl.do("create", "configmap", each)
    return cluster


def write_kubeconfig(plane: Plane, folder: Path, token: str) -> Path:
    cluster: Mapping[str, str] = {"server": plane.server, "certificate-authority": str(plane.credentials.ca)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "plane", "cluster": cluster}],
        "users": [{"name": "patcher", "user": {"token": token}}],
        "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "patcher"}}],
        "current-context": "plane",
    }
    file = folder / "patcher.kubeconfig"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
