"""Gates that have their certificate from a Secret, behind one Service of the plane, with the least of rights."""

import base64
import contextlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.conftest import SERVE, Gate, run_gate
from tests.plane.control_plane import Plane
from tests.plane.doorway import open_doorway
from tests.plane.kubectl import Kubectl
from tests.plane.webhooks import SYSTEM, Webhook, attach

SECRET_KEYS = ("tls.crt", "tls.key", "ca.crt", "ca.key", "ca.changed")
SHORT_LIVED = ("-m", "tests.plane.short_lived")


@dataclass(frozen=True)
class Replicas:
    """Gates of one Service.

    Attributes:
        name: of Service, webhook configuration and user; the Secret is NAME-tls.
        gates: each in a process of its own.
        system: kubectl in the namespace of the Secret.
    """

    name: str
    gates: tuple[Gate, ...]
    system: Kubectl

    @property
    def secret(self) -> dict[str, bytes]:
        """The values of the Secret; empty where there is none."""
        said = self.system.ask("get", "secret", f"{self.name}-tls", "-o", "json")
        data = said.json.get("data", {}) if said.is_admitted else {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    @property
    def version(self) -> str:
        """The Secret's resourceVersion."""
        return str(self.system.get("secret", f"{self.name}-tls")["metadata"]["resourceVersion"])

    @property
    def bundles(self) -> list[set[x509.Certificate]]:
        """The CAs in the caBundle of each webhook."""
        found = self.system.get("validatingwebhookconfiguration", self.name)["webhooks"]
        return [read(base64.b64decode(webhook["clientConfig"].get("caBundle", ""))) for webhook in found]

    def put(self, values: Mapping[str, bytes]) -> None:
        """Write values into the Secret by hand; the others stay."""
        data = {key: base64.b64encode(value).decode() for key, value in values.items()}
        self.system.patch(f"secret/{self.name}-tls", {"data": data}, kind="merge")

    def is_ready(self) -> bool:
        return all(gate.ask("GET", "/readyz").status == 200 for gate in self.gates)

    def wait_until_ready(self) -> None:
        for gate in self.gates:
            gate.wait_until_ready()

    def wait_until_served(self, certificate: bytes) -> None:
        """Wait until every replica shows this leaf."""
        leaf = x509.load_pem_x509_certificate(certificate)
        for gate in self.gates:
            gate.wait_until(lambda gate=gate: see_served(gate) == leaf)  # type: ignore[misc] # mypy knows no default here


def read(pem: bytes) -> set[x509.Certificate]:
    return set(x509.load_pem_x509_certificates(pem)) if pem.strip() else set()


def see_served(gate: Gate) -> x509.Certificate:
    with gate.open_tls() as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


@contextlib.contextmanager
def run_replicas(
    plane: Plane, name: str, world: Path, *arguments: str, count: int = 2, program: Sequence[str] = SERVE
) -> Iterator[Replicas]:
    """Run gates that start at once, until the block ends. arguments: more of theirs."""
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, f"gate-{name}")
    own = ["--tls-secret", f"{name}-tls", "--service-name", name, "--system-namespace", SYSTEM]
    environment = {"KUBECONFIG": str(kubeconfig)}
    runs = [run_gate(world, None, *own, *arguments, environment=environment, program=program) for _ in range(count)]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(count) as pool:
        gates = tuple(pool.map(lambda run: run.__enter__(), runs))
        for run in runs:
            stack.push(run)
        yield Replicas(name, gates, plane.kubectl.inside(SYSTEM))


@contextlib.contextmanager
def put_in_force(plane: Plane, replicas: Replicas, ca: bytes = b"") -> Iterator[Webhook]:
    """Have kube-apiserver ask the replicas in turn, until the block ends. ca: the caBundle at first."""
    with (
        open_doorway(*(gate.port for gate in replicas.gates)) as doorway,
        attach(plane, replicas.name, doorway.port, ca) as webhook,
    ):
        yield webhook


def make_secret(
    plane: Plane, name: str, values: Mapping[str, bytes], annotations: Mapping[str, str] | None = None
) -> None:
    """Make the Secret as a chart does: empty where there is nothing to put in."""
    data = {key: base64.b64encode(values.get(key, b"")).decode() for key in ("tls.crt", "tls.key", *values)}
    metadata = {"name": f"{name}-tls", "annotations": dict(annotations or {})}
    secret: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata}
    plane.kubectl.inside(SYSTEM).do("create", "-f", "-", given=secret | {"data": data})


def grant(
    plane: Plane, name: str, secret: Sequence[str], configuration: Sequence[str], *, creates: bool = False
) -> None:
    """Give the gates of a name these verbs on their Secret and their webhook configuration, by name."""
    kubectl, user = plane.kubectl.inside(SYSTEM), f"--user=gate-{name}"
    rules = [{"apiGroups": [""], "resources": ["secrets"], "resourceNames": [f"{name}-tls"], "verbs": secret}]
    if creates:
        rules.append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]})
    api, metadata = "rbac.authorization.k8s.io/v1", {"name": f"gate-{name}"}
    kubectl.do("create", "-f", "-", given={"apiVersion": api, "kind": "Role", "metadata": metadata, "rules": rules})
    kubectl.do("create", "rolebinding", f"gate-{name}", f"--role=gate-{name}", user)
    webhooks = {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["validatingwebhookconfigurations"]}
    rule = webhooks | {"resourceNames": [name], "verbs": configuration}
    role = {"apiVersion": api, "kind": "ClusterRole", "metadata": metadata, "rules": [rule]}
    kubectl.do("create", "-f", "-", given=role)
    kubectl.do("create", "clusterrolebinding", f"gate-{name}", f"--clusterrole=gate-{name}", user)
