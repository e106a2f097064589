"""The sides as kube-apiserver meets them: webhooks over a Service's path, and Kyverno with one policy at a time."""

import base64
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from http.client import OK, HTTPException
from pathlib import Path
from typing import Any, Final

from loadtest.admission.plan import GATE, KYVERNO, SIDES, STATIC, Side
from loadtest.admission.pods import IMAGES, UNPATCHED, make_pod
from loadtest.peers.kyverno_lists import make_lists
from loadtest.servers import ROOT, ServerError, connect
from loadtest.world_files import write_world
from loadtest.worlds import pin_approved
from tests.chart.rendering import Chart, Object
from tests.conftest import Gate, run_gate
from tests.kyverno.distribution import NAMESPACE as KYVERNO_NAMESPACE
from tests.kyverno.distribution import Distribution
from tests.kyverno.policies import apply, render_policies
from tests.plane.control_plane import Plane, wait_until
from tests.plane.program import Program
from tests.plane.webhooks import LOOPBACK
from tests.ports import choose_ports

NAMESPACE: Final = "copa-system"
LABEL: Final = "load-side"
FORMS: Final = {
    "Kyverno asks, apiCall": "clusterPolicy",
    "Kyverno asks, CEL http": "validatingPolicy",
    "Kyverno asks, GlobalContextEntry": "catalog",
}
TIMEOUT_SECONDS: Final = 10
"""That kube-apiserver waits for any of them: what the ClusterPolicy has, so that none is given up with 200 clients."""


def make_webhook(side: str, port: int, ca: bytes, webhook: Mapping[str, Any]) -> dict[str, Any]:
    """Make the configuration of a webhook for the Pods of one namespace, like the chart's but that it must answer."""
    namespace, name = SIDES[side].namespace, SIDES[side].webhook.partition(".")[0]
    selector = webhook["namespaceSelector"] | {"matchLabels": {LABEL: namespace}}
    service = webhook["clientConfig"]["service"] | {"name": name, "namespace": NAMESPACE, "port": port}
    own = {
        "name": f"{name}.load.patchgate.io",
        "clientConfig": {"service": service, "caBundle": base64.b64encode(ca).decode()},
        "namespaceSelector": selector,
        "failurePolicy": "Fail",
        "timeoutSeconds": TIMEOUT_SECONDS,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"load-{name}"},
        "webhooks": [{**webhook, **own}],
    }


def make_kyverno_values() -> dict[str, object]:
    """Make the values of Kyverno's chart: it admits, reports nothing, and is not asked about the other sides' Pods."""
    others = sorted({side.namespace for side in SIDES.values()} - {SIDES[KYVERNO].namespace})
    expression = {"key": LABEL, "operator": "NotIn", "values": others}
    return {
        "config": {"webhooks": {"namespaceSelector": {"matchExpressions": [expression]}}},
        "features": {"admissionReports": {"enabled": False}},
    }


@contextlib.contextmanager
def run_webhooks(plane: Plane, chart: Chart, folder: Path) -> Iterator[Gate]:
    """Run the gate and static bytes, each asked about the Pods of its namespace, until the block ends."""
    lists = {"apiVersion": "v1", "kind": "List", "items": make_lists(IMAGES, pin_approved)}
    plane.make_namespace(NAMESPACE).do("create", "-f", "-", given=lists)
    for namespace in {side.namespace for side in SIDES.values()}:
        plane.make_namespace(namespace, {LABEL: namespace})
    webhook, ca = chart.render().webhooks["enforce"], plane.credentials.ca
    write_world(folder / "world", IMAGES)
    arguments = [f"--tls-{what}={file}" for what, file in zip(("cert", "key"), _issue(plane, GATE), strict=True)]
    port = choose_ports(1)[0]
    command = [sys.executable, "-m", "loadtest.peers.static", str(port), *map(str, _issue(plane, STATIC)), "uid"]
    static = Program(command, folder / "static.log", lambda: _answers(port), ["env", "-C", str(ROOT)])
    with run_gate(folder / "world", ca, *arguments) as gate, static.running():
        gate.wait_until_ready()
        for side, its_port in ((GATE, gate.port), (STATIC, port)):
            serve_service(plane, NAMESPACE, SIDES[side].webhook.partition(".")[0])
            plane.kubectl.do("create", "-f", "-", given=make_webhook(side, its_port, ca.read_bytes(), webhook))
        wait_until(lambda: _is_refused(plane, SIDES[GATE]), "the gate's webhook")
        yield gate


def serve_service(plane: Plane, namespace: str, name: str) -> None:
    """Make a Service that leads to loopback, whichever port it is asked for."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": LOOPBACK}
    plane.kubectl.inside(namespace).do("create", "-f", "-", given=service)


def place_kyverno(plane: Plane, distribution: Distribution) -> None:
    """Make what a Kyverno that runs in the cluster has: its Service, and a Deployment, which makes no Pods here."""
    serve_service(plane, KYVERNO_NAMESPACE, "kyverno-svc")
    name = ("Deployment", "kyverno-admission-controller")
    deployment = next(each for each in distribution.objects if (each["kind"], each["metadata"]["name"]) == name)
    paused = {**deployment, "spec": deployment["spec"] | {"paused": True}}
    plane.kubectl.inside(KYVERNO_NAMESPACE).do("create", "-f", "-", given=paused)


@contextlib.contextmanager
def enforce(plane: Plane, policies: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Have Kyverno enforce these policies, and no others, until the block ends."""
    side = SIDES[KYVERNO]
    with apply(plane, tuple(policies)):
        wait_until(lambda: _is_refused(plane, side), "Kyverno's policy")
        yield
        check_verdicts(plane)
    wait_until(lambda: not _is_refused(plane, side), "no policy of Kyverno's")


def list_policies(gate: Gate, chart: Chart) -> dict[str, tuple[Object, ...]]:
    """List the chart's policies that have Kyverno ask the gate."""
    digest_alone = {"blockUnpatchedImages": "none", "requireApprovedDigest": "Deny"}
    chosen = {"url": f"https://127.0.0.1:{gate.port}", "failurePolicy": "Fail", "timeoutSeconds": TIMEOUT_SECONDS}
    return {
        name: render_policies(
            chart, form, **chosen, **(digest_alone if form == "catalog" else {"requireApprovedDigest": "none"})
        )
        for name, form in FORMS.items()
    }


def check_verdicts(plane: Plane) -> None:
    """Check that an unpatched image is refused where there is somebody to refuse it, and nowhere else.

    Raises:
        ServerError: it is not so.
    """
    for name, side in SIDES.items():
        if _is_refused(plane, side) != side.is_refusing:
            raise ServerError(f"{name}: {UNPATCHED} {'is let in' if side.is_refusing else 'is refused'}")


def _is_refused(plane: Plane, side: Side) -> bool:
    said = plane.kubectl.inside(side.namespace).create(make_pod("unpatched", UNPATCHED), "--dry-run=server")
    return not said.is_admitted and "denied the request" in said.errors


def _issue(plane: Plane, side: str) -> tuple[Path, Path]:
    name = SIDES[side].webhook.partition(".")[0]
    return plane.credentials.issue_server(name, f"{name}.{NAMESPACE}.svc", "127.0.0.1")


def _answers(port: int) -> bool:
    with contextlib.closing(connect(port)) as connection, contextlib.suppress(HTTPException):
        connection.request("GET", "/")
        return connection.getresponse().status == OK
    return False
