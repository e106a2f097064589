"""The node's programs: what each is told, where in the node it runs, and how it shows that it is ready."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from tests.node import addresses
from tests.node.configuration import (
    CONTAINERD_SOCKET,
    INSIDE,
    write_containerd,
    write_dns,
    write_kubelet,
    write_proxy,
    write_registry,
)
from tests.node.machine import Machine
from tests.plane.control_plane import api_server_flags, controller_manager_flags, etcd_command
from tests.plane.credentials import Credentials
from tests.plane.kubectl import Kubectl
from tests.plane.program import Program

SERVER: Final = f"https://{addresses.NODE}:{addresses.API_PORT}"
NAME: Final = "n1"
_API_NAMES: Final = ("localhost", "127.0.0.1", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Built:
    """Folders of the programs that `make tools` builds."""

    etcd: Path
    kubernetes: Path
    node: Path
    coredns: Path


@dataclass(frozen=True)
class Programs:
    """Makes each program, not started yet. Its files are in the credentials' folder.

    Attributes:
        kubectl: as cluster-admin, for what shows in the cluster alone.
    """

    built: Built
    machine: Machine
    credentials: Credentials
    kubectl: Kubectl

    def make_etcd(self) -> Program:
        ports = (addresses.ETCD_PORT, addresses.ETCD_PEER_PORT)
        command = etcd_command(self.built.etcd / "etcd", self.credentials.folder, *ports)
        return self._outside(command, self._answers("/health", addresses.ETCD_PORT))

    def make_registry(self, content: Path) -> Program:
        """Make the node's door to the images of a folder."""
        command = ["/usr/bin/docker-registry", "serve", str(write_registry(self.credentials.folder, content))]
        return self._outside(command, self._answers("/v2/", addresses.REGISTRY_PORT, addresses.NODE))

    def make_containerd(self) -> Program:
        command = ["/usr/bin/containerd", "--config", str(write_containerd(self.credentials.folder))]
        socket = self.machine.root / CONTAINERD_SOCKET.removeprefix("/")
        return self._inside(command, socket.is_socket)

    def make_api_server(self) -> Program:
        names = (addresses.NODE, addresses.API_SERVICE, *_API_NAMES)
        client, key = self.credentials.issue_client("kube-apiserver-kubelet-client", "system:masters")
        command = [
            str(self.built.kubernetes / "kube-apiserver"),
            *api_server_flags(self.credentials, addresses.ETCD_PORT, addresses.API_PORT, *names),
            "--bind-address=0.0.0.0",
            f"--advertise-address={addresses.NODE}",
            f"--service-cluster-ip-range={addresses.SERVICE_RANGE}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--kubelet-client-certificate={client}",
            f"--kubelet-client-key={key}",
            f"--kubelet-certificate-authority={self.credentials.ca}",
            "--kubelet-preferred-address-types=InternalIP",
        ]
        return self._outside(command, self._shows("--raw", "/readyz"))

    def make_controller_manager(self) -> Program:
        program = str(self.built.kubernetes / "kube-controller-manager")
        command = [program, *controller_manager_flags(self.credentials, SERVER)]
        return self._outside(command, self._shows("serviceaccount", "default"))

    def make_scheduler(self) -> Program:
        kubeconfig = self._write_kubeconfig("system:kube-scheduler")
        flags = [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
        # Without a port of its own it shows that it runs by the first Pod that it places.
        return self._outside([str(self.built.node / "kube-scheduler"), *flags], lambda: True)

    def make_proxy(self) -> Program:
        configuration = write_proxy(self.credentials.folder, self._write_kubeconfig("system:kube-proxy"))
        command = [str(self.built.node / "kube-proxy"), f"--config={configuration}"]
        return self._inside(command, self._answers("/healthz", addresses.PROXY_HEALTH_PORT))

    def make_dns(self) -> Program:
        corefile = write_dns(self.credentials.folder, self._write_kubeconfig("dns", "system:masters"))
        command = [str(self.built.coredns / "coredns"), "-conf", str(corefile)]
        return self._outside(command, self._answers("/ready", addresses.DNS_READY_PORT, addresses.NODE))

    def make_kubelet(self) -> Program:
        kubeconfig = self._write_kubeconfig(f"system:node:{NAME}", "system:nodes")
        pair = self.credentials.issue_server("kubelet", addresses.NODE, NAME)
        command = [
            str(self.built.node / "kubelet"),
            f"--config={write_kubelet(self.credentials.folder, *pair, self.credentials.ca)}",
            f"--kubeconfig={INSIDE / kubeconfig.name}",
            f"--root-dir={INSIDE}/kubelet",
            f"--hostname-override={NAME}",
            f"--node-ip={addresses.NODE}",
        ]
        return self._inside(command, self._answers("/healthz", addresses.KUBELET_HEALTH_PORT))

    def _write_kubeconfig(self, user: str, group: str | None = None) -> Path:
        return self.credentials.write_kubeconfig(SERVER, user, group)

    def _inside(self, command: Sequence[str], is_ready: Callable[[], bool]) -> Program:
        return Program(command, self._log(command), is_ready, self.machine.enter())

    def _outside(self, command: Sequence[str], is_ready: Callable[[], bool]) -> Program:
        """What needs the node's network alone: ended by its own pid, its files where everybody sees them."""
        return Program(command, self._log(command), is_ready, self.machine.enter_network())

    def _log(self, command: Sequence[str]) -> Path:
        return self.credentials.folder / f"{Path(command[0]).name}.log"

    def _shows(self, *what: str) -> Callable[[], bool]:
        return lambda: self.kubectl.ask("get", *what).is_admitted

    def _answers(self, path: str, port: int, host: str = "127.0.0.1") -> Callable[[], bool]:
        def is_answered() -> bool:
            with contextlib.closing(HTTPConnection(host, port, timeout=5)) as connection:
                connection.sock = self.machine.connect(host, port)
                connection.request("GET", path)
                return connection.getresponse().status == 200

        return is_answered
