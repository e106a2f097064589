"""The chart rendered: the objects that helm would send, found by kind and name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from tests.chart.helm import CHART, Helm, Said

RELEASE = "patchgate"
NAMESPACE = "copa-system"
KUBERNETES = "1.37.2"
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendering:
    """What the chart is rendered to.

    Attributes:
        objects: what helm installs.
        hooks: what it makes at some other moment.
    """

    objects: tuple[Object, ...]
    hooks: tuple[Object, ...]

    def find(self, kind: str, name: str) -> Object:
        found = [each for each in self.objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
        assert len(found) == 1, f"{len(found)} objects {kind} {name} in {sorted(self.list_names())}"
        return found[0]

    def has(self, kind: str, name: str) -> bool:
        return f"{kind}/{name}" in self.list_names()

    def list_names(self) -> set[str]:
        return {f"{each['kind']}/{each['metadata']['name']}" for each in self.objects}

    @property
    def webhooks(self) -> dict[str, Object]:
        """The webhooks that the gate is given, by the first word of their names: the mode."""
        text = self.find("ConfigMap", "patchgate-webhooks")["data"]["webhooks.yaml"]
        return {each["name"].partition(".")[0]: each for each in yaml.safe_load(text)}

    @property
    def pods(self) -> dict[str, Object]:
        """Each workload's Pod, by the workload's name: metadata and spec."""
        pods = {}
        for each in self.objects:
            spec = each.get("spec", {})
            template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
            if template:
                pods[each["metadata"]["name"]] = template
        return pods

    def container(self, workload: str, name: str) -> Object:
        spec = self.pods[workload]["spec"]
        found = [each for each in (*spec.get("initContainers", []), *spec["containers"]) if each["name"] == name]
        assert len(found) == 1
        return dict(found[0])


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart in this repository."""

    helm: Helm

    def render(self, values: Mapping[str, object] | None = None, *flags: str) -> Rendering:
        """Render it. flags: more of helm's, such as what the cluster knows."""
        said = self.ask(values, *flags)
        assert said.code == 0, said.errors
        objects = [each for each in yaml.safe_load_all(said.out) if each]
        hooks = [each for each in objects if "helm.sh/hook" in each["metadata"].get("annotations", {})]
        return Rendering(tuple(each for each in objects if each not in hooks), tuple(hooks))

    def ask(self, values: Mapping[str, object] | None = None, *more: str) -> Said:
        flags = ("--namespace", NAMESPACE, "--kube-version", KUBERNETES, *more)
        return self.helm.ask("template", RELEASE, str(CHART), *flags, values=values)

    def refuse(self, values: Mapping[str, object]) -> str:
        """Render with values that must be refused; gives what helm says of them."""
        said = self.ask(values)
        assert said.code != 0, "helm rendered it"
        return said.errors
