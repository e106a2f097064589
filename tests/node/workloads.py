"""Workloads of busybox that a namespace under Pod Security `restricted` takes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.node import addresses
from tests.node.images import BUSYBOX
from tests.plane.kubectl import Kubectl

IMAGE: Final = f"{addresses.REGISTRY}/{BUSYBOX}"
RESTRICTED: Final[Mapping[str, str]] = {"pod-security.kubernetes.io/enforce": "restricted"}
"""A namespace's labels."""
_CONTAINER_SECURITY: Final = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def container(name: str, script: str, **fields: object) -> dict[str, Any]:
    """A container that runs a shell script. fields: more of it."""
    command = ["/bin/sh", "-c", script]
    return {"name": name, "image": IMAGE, "command": command, "securityContext": _CONTAINER_SECURITY, **fields}


def pod_spec(containers: Sequence[Mapping[str, object]], **fields: object) -> dict[str, Any]:
    """A Pod's spec, which ends at once when it is told to. fields: more of it."""
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {"containers": containers, "securityContext": security, "terminationGracePeriodSeconds": 0, **fields}


def pod(name: str, script: str, **fields: object) -> dict[str, Any]:
    """A Pod of one container `main`, labelled with its name. fields: more of its spec."""
    spec = pod_spec([container("main", script)], **fields)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def service(name: str, port: int) -> dict[str, Any]:
    """A Service of the Pods that are labelled with its name."""
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def wait_for(inside: Kubectl, what: str, condition: str) -> None:
    """Wait, with kubectl, until an object has a condition: `pod/NAME`, `condition=Ready`."""
    inside.do("wait", what, f"--for={condition}", "--timeout=120s")
