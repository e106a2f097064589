"""Gatekeeper's own controller beside a plane, installed from what its release ships, but for its Deployments.

kube-apiserver reaches it as it reaches the gate: by its Service, which is of type ExternalName. Its webhook fails shut
and has as long as it needs: a busy machine must not let through what a test has refused.
"""

import base64
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from tests.plane.control_plane import Plane, wait_until
from tests.plane.program import Program
from tests.plane.webhooks import LOOPBACK
from tests.ports import choose_ports

RELEASE = Path("deploy/gatekeeper.yaml")
NAMESPACE = "gatekeeper-system"
SERVICE = "gatekeeper-webhook-service"
WEBHOOK_SECONDS = 30
READY_SECONDS = 60.0
_INSTALLED = ("CustomResourceDefinition",)
_WEBHOOKS = "ValidatingWebhookConfiguration"


@dataclass(frozen=True)
class Gatekeeper:
    """A running Gatekeeper, in force. program: its controller."""

    plane: Plane
    program: Program

    def apply(self, *objects: Mapping[str, Any]) -> None:
        for each in objects:
            self.plane.kubectl.do("apply", "-f", "-", given=each)

    def apply_template(self, template: Mapping[str, Any]) -> None:
        """Apply a ConstraintTemplate, and wait until there can be Constraints of it."""
        self.apply(template)
        kind = template["metadata"]["name"]
        asked = ("get", kind, "--request-timeout=5s")
        wait_until(lambda: self.plane.kubectl.ask(*asked).is_admitted, f"constraints of {kind}", READY_SECONDS)


@contextlib.contextmanager
def run_gatekeeper(plane: Plane, programs: Path, sources: Path) -> Iterator[Gatekeeper]:
    """Run it until the block ends. programs, sources: folders of the built program and of its module."""
    release = [each for each in yaml.safe_load_all((sources / RELEASE).read_text(encoding="utf-8")) if each]
    port, health, metrics = choose_ports(3)
    plane.make_namespace(NAMESPACE, {"admission.gatekeeper.sh/ignore": "no-self-managing"})
    plane.kubectl.do("create", "-f", "-", given=_list(each for each in release if each["kind"] in _INSTALLED))
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": SERVICE}, "spec": dict(LOOPBACK)}
    plane.kubectl.inside(NAMESPACE).do("create", "-f", "-", given=service)
    command = _make_command(plane, programs / "gatekeeper", port, health, metrics)
    program = Program(command, plane.folder / "gatekeeper.log", lambda: _is_ready(health))
    with program.running():
        (configuration,) = (each for each in release if each["kind"] == _WEBHOOKS)
        plane.kubectl.do("create", "-f", "-", given=_configure(configuration, port, plane.credentials.ca.read_bytes()))
        try:
            yield Gatekeeper(plane, program)
        finally:
            plane.kubectl.do("delete", _WEBHOOKS, configuration["metadata"]["name"])


def _make_command(plane: Plane, program: Path, port: int, health: int, metrics: int) -> list[str]:
    certificate, key = plane.credentials.issue_server(SERVICE, f"{SERVICE}.{NAMESPACE}.svc", "127.0.0.1")
    folder = plane.folder / "gatekeeper"
    folder.mkdir()
    (folder / "tls.crt").write_bytes(certificate.read_bytes())
    (folder / "tls.key").write_bytes(key.read_bytes())
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, "gatekeeper", "system:masters")
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        "--debug-use-fake-pod",  # it looks for its own Pod otherwise
        "--operation=webhook",
        "--operation=generate",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--health-addr=127.0.0.1:{health}",
        f"--prometheus-port={metrics}",
        f"--cert-dir={folder}",
        "--disable-cert-rotation",
        f"--exempt-namespace={NAMESPACE}",
        "--shutdown-delay=0",
    ]


def _configure(release: Mapping[str, Any], port: int, ca: bytes) -> dict[str, Any]:
    webhooks = [
        {
            **webhook,
            "clientConfig": {
                "service": {**webhook["clientConfig"]["service"], "port": port},
                "caBundle": base64.b64encode(ca).decode(),
            },
            "failurePolicy": "Fail",
            "timeoutSeconds": WEBHOOK_SECONDS,
        }
        for webhook in release["webhooks"]
    ]
    return {**release, "webhooks": webhooks}


def _list(objects: Iterator[Mapping[str, Any]]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def _is_ready(port: int) -> bool:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
