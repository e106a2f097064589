"""Replicas of the gate behind an ordinary Service; its EndpointSlice is written here as a cluster's controller does."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import Gate, run_gate
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Kubectl
from tests.plane.webhooks import SYSTEM, Webhook, attach

PORT = 8443
SERVICE = {"ports": [{"port": 443, "targetPort": PORT}]}
END_SECONDS = 60.0


@dataclass
class Replicas:
    """The replicas of one Service.

    Attributes:
        name: of the Service.
        plane: where it is; kube-apiserver must choose among endpoints itself (--enable-aggregator-routing).
        source: the directory that all of them read.
        stack: ends them.
        running: address → gate, of those in the EndpointSlice.
    """

    name: str
    plane: Plane
    source: Path
    stack: contextlib.ExitStack
    running: dict[str, Gate] = field(default_factory=dict)

    def start(self, address: str, drain_seconds: float) -> Gate:
        """Start one; it takes reviews once it is ready."""
        credentials = self.plane.credentials
        certificate, key = credentials.issue_server(f"{self.name}-{address}", f"{self.name}.{SYSTEM}.svc", address)
        gate = self.stack.enter_context(
            run_gate(
                self.source,
                credentials.ca,
                *("--tls-cert", str(certificate), "--tls-key", str(key), "--listen", f"{address}:{PORT}"),
                *("--ops-listen", f"{address}:0", "--drain-seconds", str(drain_seconds)),
            )
        )
        self.running[address] = gate
        self._publish()
        return gate

    def tell_to_stop(self, address: str) -> None:
        """Tell one to stop: its readiness fails."""
        gate = self.running[address]
        gate.process.send_signal(signal.SIGTERM)

    def take_out(self, address: str) -> Gate:
        """Take one out of the EndpointSlice, so that no new connection goes to it."""
        gate = self.running.pop(address)
        self._publish()
        return gate

    def _publish(self) -> None:
        endpoints = [{"addresses": [address], "conditions": {"ready": True}} for address in self.running]
        labels = {"kubernetes.io/service-name": self.name}
        self._system.do(
            *("apply", "-f", "-"),
            given={
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": self.name, "labels": labels},
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": [{"name": "", "port": PORT, "protocol": "TCP"}],
            },
        )

    @property
    def _system(self) -> Kubectl:
        return self.plane.kubectl.inside(SYSTEM)


@contextlib.contextmanager
def run_replicas(
    plane: Plane, name: str, source: Path, addresses: tuple[str, ...], drain_seconds: float
) -> Iterator[tuple[Replicas, Webhook]]:
    """Run a webhook with a replica at each address until the block ends."""
    with contextlib.ExitStack() as stack:
        replicas = Replicas(name, plane, source, stack)
        for address in addresses:
            replicas.start(address, drain_seconds)
        ca = plane.credentials.ca.read_bytes()
        yield replicas, stack.enter_context(attach(plane, name, 443, ca, SERVICE))
