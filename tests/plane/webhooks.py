"""The gate as a webhook of the plane, over the path of a cluster: a Service reference, TLS for NAME.NAMESPACE.svc.

The Service is of type ExternalName, so that kube-apiserver dials loopback and still asks for the Service's name.
Each webhook has namespaces of its own, one a mode, so that gates of several tests stand side by side.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Gate, run_gate
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod

SYSTEM = "copa-system"
LOOPBACK: Mapping[str, object] = {"type": "ExternalName", "externalName": "localhost"}
"""A Service's spec."""
MODE_LABEL = "patchgate.io/mode"
RULES = [
    {
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": resources,
        "scope": "Namespaced",
    }
    for group, resources in {
        "": ["pods", "pods/*", "replicationcontrollers", "replicationcontrollers/*"],
        "apps": ["*/*"],
        "batch": ["*/*"],
    }.items()
]
"""More than is needed, `status` too: what the gate must leave alone is sent to it."""


@dataclass(frozen=True)
class Webhook:
    """A webhook that is in force.

    Attributes:
        name: of its configuration, its Service, and the namespace where it enforces.
        enforce, warn, audit: kubectl in a namespace of this mode.
    """

    name: str
    enforce: Kubectl
    warn: Kubectl
    audit: Kubectl


@dataclass(frozen=True)
class Guarded:
    """A plane's webhook with the gate behind it."""

    gate: Gate
    webhook: Webhook


@contextlib.contextmanager
def guard(plane: Plane, name: str, source: Path, *arguments: str, **fields: object) -> Iterator[Guarded]:
    """Run a gate on a directory as a webhook until the block ends. fields: of its webhooks, such as failurePolicy."""
    certificate, key = plane.credentials.issue_server(name, f"{name}.{SYSTEM}.svc", "127.0.0.1")
    pair = ["--tls-cert", str(certificate), "--tls-key", str(key)]
    with (
        run_gate(source, plane.credentials.ca, *pair, *arguments) as gate,
        attach(plane, name, gate.port, plane.credentials.ca.read_bytes(), LOOPBACK, **fields) as webhook,
    ):
        yield Guarded(gate, webhook)


@contextlib.contextmanager
def attach(
    plane: Plane, name: str, port: int, ca: bytes, service: Mapping[str, object] = LOOPBACK, **fields: object
) -> Iterator[Webhook]:
    """Have kube-apiserver ask whoever listens on a port of loopback, until the block ends.

    service: the spec of another Service, which has the port. fields: of each webhook, beside what it needs:
    failurePolicy, matchConditions.
    """
    namespaces = [
        plane.make_namespace(f"{name}-{mode}", {"guard": name, MODE_LABEL: mode}) for mode in ("warn", "audit")
    ]
    webhook = Webhook(name, plane.make_namespace(name, {"guard": name}), *namespaces)
    plane.kubectl.inside(SYSTEM).do("create", "-f", "-", given=_service(name, service))
    plane.kubectl.do("create", "-f", "-", given=configure(name, port, ca, fields))
    try:
        wait_until(lambda: _is_enforced(webhook.enforce), f"webhook {name} in force")
        yield webhook
    finally:
        plane.kubectl.do("delete", "validatingwebhookconfiguration", name)


def enforce_in(namespace: Kubectl, webhook: Webhook) -> None:
    """Have a webhook enforce in a namespace that was there before it."""
    namespace.do("label", "namespace", namespace.namespace, f"guard={webhook.name}")
    wait_until(lambda: _is_enforced(namespace), f"{webhook.name} enforces in {namespace.namespace}")


def configure(name: str, port: int, ca: bytes, fields: Mapping[str, object]) -> dict[str, Any]:
    """Make the configuration: a webhook a mode, by the namespace's label as Pod Security has it; enforce by default."""
    by_mode: dict[str, Sequence[Mapping[str, object]]] = {
        "enforce": [{"key": MODE_LABEL, "operator": "NotIn", "values": ["warn", "audit"]}],
        "warn": [{"key": MODE_LABEL, "operator": "In", "values": ["warn"]}],
        "audit": [{"key": MODE_LABEL, "operator": "In", "values": ["audit"]}],
    }
    webhooks = [
        {
            "name": f"{mode}.{name}.patchgate.io",
            "clientConfig": {
                "service": {"name": name, "namespace": SYSTEM, "port": port, "path": f"/validate/{mode}"},
                "caBundle": base64.b64encode(ca).decode(),
            },
            "rules": RULES,
            "namespaceSelector": {"matchLabels": {"guard": name}, "matchExpressions": expressions},
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "timeoutSeconds": 5,
            **fields,
        }
        for mode, expressions in by_mode.items()
    ]
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": webhooks,
    }


def _service(name: str, spec: Mapping[str, object]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _is_enforced(namespace: Kubectl) -> bool:
    """Ask with what no gate admits: kube-apiserver hears of a new configuration or label a moment later."""
    return "no@@reference: not an image reference" in namespace.create(pod("no@@reference"), "--dry-run=server").errors
