"""The chart installed by the real Helm, and a gate outside of the cluster that runs as its Pods would.

The plane has no nodes: Pods stay pending. So the gate is started here, with the arguments that the chart gives its Pod,
as its ServiceAccount, and its Service leads to loopback.
"""

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chart.helm import Helm
from tests.chart.release import Release
from tests.conftest import Gate, run_gate
from tests.plane.accounts import write_account_kubeconfig
from tests.plane.control_plane import Plane

_OURS = ("--listen", "--ops-listen", "--drain-seconds")
"""What a test says otherwise than the chart."""


@dataclass(frozen=True)
class Installation(Release):
    """A release of the chart.

    Attributes:
        plane: where it is.
        port: where a gate of it listens; its Service leads there.
    """

    plane: Plane
    port: int

    def do(self, verb: str, values: Mapping[str, Any] | None = None, *more: str) -> str:
        """Run helm install or upgrade with these values."""
        own: dict[str, dict[str, Any]] = {
            "gate": {"servicePort": self.port},
            "buildkit": {"namespace": f"{self.name}-buildkit"},
        }
        given = dict(values or {})
        merged = given | {key: {**part, **given.get(key, {})} for key, part in own.items()}
        said = super().do(verb, merged, *more)
        self._lead_service_here()
        return said

    @contextlib.contextmanager
    def run_gate(self, port: int | None = None) -> Iterator[Gate]:
        """Run a gate as one of its Pods until the block ends. port: another than the one that the Service leads to."""
        container = self.system.get("deployment", self.name)["spec"]["template"]["spec"]["containers"][0]
        command, *arguments = container["args"]
        assert command == "serve"
        kept = [each for each in arguments if not each.startswith(_OURS)]
        listen = ("--listen", f"127.0.0.1:{self.port if port is None else port}")
        environment = {"KUBECONFIG": str(write_account_kubeconfig(self.system, self.name, self.plane.folder))}
        with run_gate(None, None, *kept, *listen, environment=environment) as gate:
            yield gate

    def _lead_service_here(self) -> None:
        """Have kube-apiserver dial loopback for the Service, where the gate of the test is."""
        change = {"spec": {"type": "ExternalName", "externalName": "localhost", "clusterIP": None, "clusterIPs": None}}
        assert self.system.patch(f"service/{self.name}", change, kind="merge").is_admitted


def prepare(plane: Plane, helm: Helm, name: str) -> Installation:
    """Prepare a release in a namespace of its own name, which Pod Security restricts."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    asked = Helm(helm.program, plane.kubectl.kubeconfig)
    return Installation(asked, name, plane.make_namespace(name, labels), plane, port)
