"""Kyverno's policies that are measured: read from their files, found in force by what Kyverno writes of them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from loadtest.figure import Bar

_FOLDER: Final = Path(__file__).parent / "kyverno"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, and what it needs.

    Attributes:
        name: for people: its kind.
        file: its file.
        bar: of Kyverno's CPU a review, divided by the gate's.
    """

    name: str
    file: Path
    bar: Bar

    def read_objects(self) -> list[dict[str, Any]]:
        """Read what is applied, the policy last."""
        return list(yaml.safe_load_all(self.file.read_text(encoding="utf-8")))


CLUSTER_POLICY: Final = Policy("ClusterPolicy", _FOLDER / "cluster-policy.yaml", Bar(12, is_least=True))
VALIDATING_POLICY: Final = Policy("ValidatingPolicy", _FOLDER / "validating-policy.yaml", Bar(4, is_least=True))
POLICIES: Final = (CLUSTER_POLICY, VALIDATING_POLICY)


def is_ready(policy: Mapping[str, Any]) -> bool:
    """Tell whether Kyverno says of a policy that it is in force.

    Of a ValidatingPolicy the condition counts, not `ready`: that one is false where reports have not their rights.
    """
    status = policy.get("status", {})
    conditions: Sequence[Mapping[str, str]] = status.get("conditionStatus", status).get("conditions", ())
    return any(each["type"] in {"Ready", "WebhookConfigured"} and each["status"] == "True" for each in conditions)


def list_pod_paths(configurations: Iterable[Mapping[str, Any]]) -> list[str]:
    """List where kube-apiserver sends Pods: path and query, of ValidatingWebhookConfigurations."""
    webhooks = [webhook for each in configurations for webhook in each.get("webhooks", ())]
    return [
        f"{urlsplit(webhook['clientConfig']['url']).path}?timeout={webhook['timeoutSeconds']}s"
        for webhook in webhooks
        if any(rule["apiGroups"] == [""] and "pods" in rule["resources"] for rule in webhook["rules"])
    ]
