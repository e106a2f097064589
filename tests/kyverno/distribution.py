"""Kyverno as its own chart has it: CRDs, rights, settings, and the arguments of its controllers."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.chart.helm import Helm

NAMESPACE = "kyverno"
_CHART = Path("charts/kyverno")
_POLICY_CRDS = Path("config/crds/policies.kyverno.io")
_KINDS = {
    "ClusterRole",
    "ClusterRoleBinding",
    "ConfigMap",
    "CustomResourceDefinition",
    "Role",
    "RoleBinding",
    "ServiceAccount",
}


@dataclass(frozen=True)
class Distribution:
    """What Kyverno's chart is rendered to.

    Attributes:
        objects: all of its objects, and the CRDs of its CEL policies, which its chart takes from elsewhere.
    """

    objects: Sequence[Mapping[str, Any]]

    @property
    def installed(self) -> list[Mapping[str, Any]]:
        """What a cluster without nodes has of it: all but what makes Pods."""
        return [each for each in self.objects if each["kind"] in _KINDS and "hook" not in str(each["metadata"])]

    def find_arguments(self, controller: str) -> list[str]:
        """Find the arguments of a controller, such as `kyverno-reports-controller`."""
        return list(self._find_container(controller)["args"])

    def find_environment(self, controller: str) -> dict[str, str]:
        """Find the environment of a controller: what stands there as it is."""
        return {each["name"]: each["value"] for each in self._find_container(controller)["env"] if "value" in each}

    def _find_container(self, controller: str) -> Mapping[str, Any]:
        found = [
            each for each in self.objects if (each["kind"], each["metadata"]["name"]) == ("Deployment", controller)
        ]
        return dict(found[0]["spec"]["template"]["spec"]["containers"][0])


def render_distribution(
    sources: Path, helm: Helm, folder: Path, values: Mapping[str, object] | None = None
) -> Distribution:
    """Render Kyverno's chart. folder: to copy it into."""
    chart = copy_chart(sources, folder)
    words = ("template", "kyverno", str(chart), "--namespace", NAMESPACE, "--kube-version", "1.37.2")
    rendered = helm.do(*words, values=values)
    return Distribution([*_read_crds(sources / _POLICY_CRDS), *(each for each in yaml.safe_load_all(rendered) if each)])


def copy_chart(sources: Path, folder: Path) -> Path:
    """Copy Kyverno's chart, without the charts of others that it depends on; give the copy."""
    chart = folder / "chart"
    shutil.copytree(sources / _CHART, chart, copy_function=shutil.copyfile)
    for each in (chart, *chart.rglob("*/")):
        each.chmod(0o755)  # the module cache is read-only
    (chart / "Chart.lock").unlink()
    description = yaml.safe_load((chart / "Chart.yaml").read_text(encoding="utf-8"))
    del description["dependencies"]
    (chart / "Chart.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    return chart


def _read_crds(folder: Path) -> Iterator[Mapping[str, Any]]:
    for file in sorted(folder.glob("*.yaml")):
        yield yaml.safe_load(file.read_text(encoding="utf-8"))
