"""Kyverno's real controllers beside the control plane: as the service accounts and with the arguments of its chart."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from tests.conftest import make_blind_context
from tests.kyverno.distribution import NAMESPACE, Distribution
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.program import Program
from tests.ports import choose_ports

WAIT_SECONDS = 60.0
AUDIENCE = "kyverno-svc.kyverno.io"
"""Of the token that Kyverno's calls bring."""
_ADMISSION = "kyverno-admission-controller"
_REPORTS = "kyverno-reports-controller"


@dataclass(frozen=True)
class Kyverno:
    """Kyverno, running.

    Attributes:
        admission: its admission controller.
        reports: its reports controller, which scans what is there; not started.
        port: of its admission controller's webhooks, on 127.0.0.1 over TLS.
    """

    admission: Program
    reports: Program
    port: int

    def wait_until_refused(self, namespace: Kubectl, obj: Mapping[str, object]) -> None:
        """Wait until it refuses an object: a policy is in force some time after it was made."""
        wait_until(lambda: not namespace.create(obj, "--dry-run=server").is_admitted, "a policy", WAIT_SECONDS)


@contextlib.contextmanager
def run_kyverno(  # noqa: PLR0917 -- the last ones are for those who measure
    plane: Plane,
    programs: Path,
    distribution: Distribution,
    roots: Path,
    flags: Sequence[str] = (),
    within: Sequence[str] = (),
    port: int | None = None,
) -> Iterator[Kyverno]:
    """Install Kyverno, and run its admission controller until the block ends.

    roots: the CAs that it trusts when it asks others, as a file in the place of its image's own. flags: more of the
    admission controller, over the chart's. within: words before both commands, such as `env NAME=VALUE`. port: for its
    webhooks, where a flag must say it too.
    """
    _install(plane, distribution)
    free, *metrics = choose_ports(3)  # its metrics, which nothing turns off, have one that is fixed
    port, blind = port or free, make_blind_context()
    admission, reports = (
        Program(
            [str(programs / name), *_find_arguments(plane, controller, distribution), *more],
            plane.folder / f"{controller}.log",
            is_ready,
            [*within, "env", *_list_environment(plane, controller, distribution, roots)],
        )
        for name, controller, more, is_ready in (
            ("kyverno-admission", _ADMISSION, [*_listen(port, metrics[0]), *flags], lambda: _is_healthy(port, blind)),
            ("kyverno-reports", _REPORTS, [f"--metricsPort={metrics[1]}"], lambda: _listens(metrics[1])),
        )
    )
    with admission.running():
        wait_until(lambda: _has_webhooks(plane), "Kyverno's webhooks", WAIT_SECONDS)
        yield Kyverno(admission, reports, port)


def _install(plane: Plane, distribution: Distribution) -> None:
    inside = plane.make_namespace(NAMESPACE)
    inside.do("create", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(distribution.installed)})
    wait_until(lambda: _has_rights(plane), "Kyverno's rights, which it aggregates", WAIT_SECONDS)
    names = (each["metadata"]["name"] for each in distribution.installed if each["kind"] == "CustomResourceDefinition")
    plane.kubectl.do("wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{name}" for name in names))


def _listen(port: int, metrics: int) -> list[str]:
    server = [f"--serverIP=127.0.0.1:{port}", "--webhookServerHost=127.0.0.1", f"--webhookServerPort={port}"]
    return [*server, f"--metricsPort={metrics}", "--controllerRuntimeMetricsAddress=0"]


def _find_arguments(plane: Plane, controller: str, distribution: Distribution) -> list[str]:
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, f"system:serviceaccount:{NAMESPACE}:{controller}")
    given = [each for each in distribution.find_arguments(controller) if not _is_replaced(each)]
    return [f"--kubeconfig={kubeconfig}", *given]


def _list_environment(plane: Plane, controller: str, distribution: Distribution, roots: Path) -> list[str]:
    environment = distribution.find_environment(controller) | {
        "KYVERNO_NAMESPACE": NAMESPACE,
        "KYVERNO_POD_NAME": f"{controller}-0",
        "KYVERNO_SCOPED_TOKEN_PATH": str(_make_token(plane, controller)),
        "SSL_CERT_FILE": str(roots),
        "SSL_CERT_DIR": "/nonexistent",
        "FLAG_HTTP_BLOCKLIST": "192.0.2.1",  # its own list has loopback, where our gate is here
    }
    return [f"{name}={text}" for name, text in environment.items()]


def _make_token(plane: Plane, controller: str) -> Path:
    """Make the token that its Pod would have for its calls (its chart's `apiCallToken`)."""
    said = plane.kubectl.inside(NAMESPACE).do("create", "token", controller, "--audience", AUDIENCE, "--duration=4h")
    token = plane.folder / f"{controller}.token"
    token.write_text(said.out.strip(), encoding="utf-8")
    return token


def _is_replaced(argument: str) -> bool:
    return argument.startswith(("--metricsPort", "--controllerRuntimeMetricsAddress", "--webhookServerPort"))


def _is_healthy(port: int, context: ssl.SSLContext) -> bool:
    with contextlib.closing(HTTPSConnection("127.0.0.1", port, context=context, timeout=5)) as connection:
        connection.request("GET", "/health/readiness")
        return connection.getresponse().status == 200


def _listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


def _has_rights(plane: Plane) -> bool:
    found = plane.kubectl.get("clusterrole", "kyverno:admission-controller", "kyverno:reports-controller")["items"]
    return all(each["rules"] for each in found)


def _has_webhooks(plane: Plane) -> bool:
    return plane.kubectl.ask(
        "get", "validatingwebhookconfiguration", "kyverno-policy-validating-webhook-cfg"
    ).is_admitted
