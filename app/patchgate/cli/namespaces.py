"""What a cluster makes of a namespace: no webhook asks about it, or one of the mode that its label says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from patchgate.policy.decision import Mode
from patchgate.policy.verdict import Verdict

NEVER_MATCHED: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that our webhooks never match, in any cluster."""
MODE_LABEL: Final = "patchgate.io/mode"
_SAID: Final = {Mode.WARN: "only warned about", Mode.AUDIT: "only audited"}


@dataclass(frozen=True, slots=True)
class NamespaceRules:
    """How the webhooks choose namespaces.

    Attributes:
        excluded: those that they never ask about.
        labels: namespace → the value of its mode label, as far as it is known.
    """

    excluded: frozenset[str]
    labels: Mapping[str, str]

    def find_reason_unasked(self, namespace: str) -> str:
        """Say why nothing in a namespace is judged; empty if it is."""
        return f"the namespace {namespace} is excluded, no webhook asks about it" if namespace in self.excluded else ""

    def apply(self, verdict: Verdict, namespace: str) -> Verdict:
        """Make of a verdict what the mode of a namespace makes of it. An absent or unknown label is enforce."""
        label = self.labels.get(namespace, "")
        mode = Mode(label) if label in list(Mode) else Mode.ENFORCE
        if mode is Mode.ENFORCE or verdict.allowed:
            return verdict
        text = f"{verdict.text} ({_SAID[mode]}: the namespace {namespace} is labelled {MODE_LABEL}={mode})"
        return replace(verdict, allowed=True, warns=True, text=text)


def make_rules(system_namespace: str, excluded: Iterable[str], labels: Mapping[str, str]) -> NamespaceRules:
    """Make the rules of a cluster. excluded: more namespaces that the installer named."""
    return NamespaceRules(NEVER_MATCHED.union(excluded, [system_namespace]), labels)
