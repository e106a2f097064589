"""A release of the chart in a cluster: what helm does to it, what people write into it, what is there of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from patchgate.configmaps.configmap import ConfigMap
from tests.chart.helm import CHART, Helm
from tests.conftest import write_configmaps
from tests.plane.kubectl import Kubectl


@dataclass(frozen=True)
class Release:
    """One of some name, in a namespace that is there.

    Attributes:
        helm: with cluster-admin's kubeconfig.
        name: of the release, and of all that it makes for the whole cluster.
        system: kubectl in its namespace.
    """

    helm: Helm
    name: str
    system: Kubectl

    def do(self, verb: str, values: Mapping[str, Any] | None = None, *more: str) -> str:
        """Run helm install or upgrade with these values."""
        return self.helm.do(verb, self.name, str(CHART), "--namespace", self.system.namespace, *more, values=values)

    def run(self, *arguments: str) -> str:
        """Run helm on the release: `rollback`, `uninstall`."""
        verb, *more = arguments
        return self.helm.do(verb, self.name, *more, "--namespace", self.system.namespace)

    def fill(self, folder: Path, *configmaps: ConfigMap) -> None:
        """Write into its ConfigMaps as people and the patcher do: these keys alone. folder: for files."""
        for file in sorted(write_configmaps(folder, *configmaps).iterdir()):
            configmap = yaml.safe_load(file.read_text(encoding="utf-8"))
            name = configmap["metadata"]["name"]
            assert self.system.patch(f"configmap/{name}", {"data": configmap["data"]}, kind="merge").is_admitted

    @property
    def webhooks(self) -> list[dict[str, Any]]:
        """What kube-apiserver asks by; empty where there is no configuration."""
        said = self.system.ask("get", "validatingwebhookconfiguration", self.name, "-o", "json")
        return list(said.json.get("webhooks", [])) if said.is_admitted else []

    def list_left(self) -> set[str]:
        """List what is there of the release, in every namespace and beside them."""
        kinds = self.system.do("api-resources", "--verbs=list", "-o", "name").out.split()
        wanted = ",".join(kind for kind in kinds if not kind.startswith(("events", "endpointslices")))
        found = self.system.get(wanted, "--all-namespaces", "-l", f"app.kubernetes.io/instance={self.name}")["items"]
        return {f"{each['kind']}/{each['metadata']['name']}" for each in found}


DATA = {
    "ConfigMap/copa-image-list",
    "ConfigMap/copa-exceptions",
    "ConfigMap/copa-patched-digests",
    *(f"ConfigMap/copa-patched-digests-{number}" for number in range(1, 8)),
}
"""What an uninstall leaves, beside the Secret of our CA."""
