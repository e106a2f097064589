"""The objects of examples/gatekeeper, each put in force in one namespace of a test's own."""

import base64
from pathlib import Path
from typing import Any

import yaml

from tests.gatekeeper.controller import WEBHOOK_SECONDS, Gatekeeper
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod

EXAMPLES = Path(__file__).parents[2] / "examples/gatekeeper"


def read_example(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")))


def make_provider(name: str, port: int, ca: bytes) -> dict[str, Any]:
    """The example's Provider, which asks a port of loopback, and gives a busy machine time."""
    (provider,) = read_example("provider")
    spec = {
        "url": provider["spec"]["url"].replace("patchgate.copa-system.svc:443", f"127.0.0.1:{port}"),
        "caBundle": base64.b64encode(ca).decode(),
        "timeout": WEBHOOK_SECONDS - 5,
    }
    return {**provider, "metadata": {"name": name}, "spec": spec}


def make_constraints(namespace: str, **parameters: str) -> list[dict[str, Any]]:
    """The example's Constraints in one namespace. parameters: of both, beside their own."""
    made = []
    for example in read_example("constraint"):
        match = {**example["spec"]["match"], "namespaces": [namespace]}
        own = example["spec"]["parameters"]
        spec = {**example["spec"], "match": match, "parameters": {**own, **parameters}}
        made.append({**example, "metadata": {"name": f"{example['metadata']['name']}-{namespace}"}, "spec": spec})
    return made


def put_in_force(gatekeeper: Gatekeeper, namespace: str, ca: bytes, port: int, **parameters: str) -> Kubectl:
    """Guard a new namespace by a Provider of its own, which asks that port; gives kubectl inside it."""
    inside = gatekeeper.plane.make_namespace(namespace)
    provider = make_provider(f"patchgate-{namespace}", port, ca)
    gatekeeper.apply(provider, *make_constraints(namespace, provider=provider["metadata"]["name"], **parameters))
    wait_until(lambda: _is_in_force(inside), f"constraints of {namespace} in force", 60.0)
    return inside


def _is_in_force(inside: Kubectl) -> bool:
    """Ask with what no gate admits."""
    return "[patchgate-denials-" in inside.create(pod("no@@reference"), "--dry-run=server").errors
