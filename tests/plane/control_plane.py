"""A control plane without nodes on loopback: etcd, kube-apiserver, kube-controller-manager. Pods stay Pending.

Knows nothing of patchgate. Every port is a free one, every file in one folder, and nothing outlives it.
"""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

from tests.plane.credentials import Credentials
from tests.plane.kubectl import Kubectl
from tests.plane.program import Program
from tests.ports import choose_ports

WAIT_SECONDS = 120.0
CONTROLLERS = (
    "serviceaccount", "root-ca-certificate-publisher", "namespace", "garbage-collector", "deployment", "replicaset",
    "statefulset", "daemonset", "job", "cronjob", "replicationcontroller", "clusterrole-aggregation",
)  # fmt: skip
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete"]},
        {"level": "Metadata", "verbs": ["list", "watch"], "resources": [{"group": "", "resources": ["configmaps"]}]},
        {"level": "None"},
    ],
}


@dataclass(frozen=True)
class Plane:
    """A running control plane.

    Attributes:
        server: kube-apiserver's URL.
        kubectl: as cluster-admin, in the namespace `default`.
        credentials: issues what else must be trusted, or may log in.
        folder: logs and kubeconfigs.
        etcd, api_server, controller_manager: to be frozen, ended and started by a test that has a plane of its own.
    """

    server: str
    kubectl: Kubectl
    credentials: Credentials
    folder: Path
    etcd: Program
    api_server: Program
    controller_manager: Program

    def make_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> Kubectl:
        """Make a namespace that Pods can be made in; gives kubectl inside it."""
        metadata = {"name": name, "labels": dict(labels or {})}
        self.kubectl.do("create", "-f", "-", given={"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        inside = self.kubectl.inside(name)
        wait_until(lambda: inside.ask("get", "serviceaccount", "default").is_admitted, f"ServiceAccount of {name}")
        return inside

    def read_audit(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """Read what the audit log holds of an object, as it is written: after the answer."""
        events = [event for event in self._read_audit() if event.get("objectRef", {}).get("name") == name]
        return [event for event in events if event["objectRef"].get("namespace") == namespace]

    def read_audit_of(self, user: str) -> list[dict[str, Any]]:
        """Read what the audit log holds of a user: writes, and lists and watches of ConfigMaps."""
        return [event for event in self._read_audit() if event["user"]["username"] == user]

    def _read_audit(self) -> Iterator[dict[str, Any]]:
        lines = (self.folder / "audit.log").read_text(encoding="utf-8").split("\n")[:-1]
        return map(json.loads, lines)


@contextlib.contextmanager
def run_plane(programs: Path, etcd: Path, folder: Path, *flags: str, address: str = "127.0.0.1") -> Iterator[Plane]:
    """Run a control plane until the block ends.

    programs, etcd: folders of the built programs. flags: more of kube-apiserver. address: another one that it has.
    """
    client, peer, secure = choose_ports(3)
    credentials, server = Credentials.make(folder), f"https://127.0.0.1:{secure}"
    admin = credentials.write_kubeconfig(server, "admin", "system:masters")
    ask = _Api(credentials, secure).ask
    store = Program(etcd_command(etcd / "etcd", folder, client, peer), folder / "etcd.log", lambda: _is_healthy(client))
    api = Program(
        [*_api_server(programs / "kube-apiserver", credentials, client, secure, address), *flags],
        folder / "kube-apiserver.log",
        lambda: ask("/readyz") == 200,
    )
    controllers = Program(
        _controller_manager(programs / "kube-controller-manager", credentials, server),
        folder / "kube-controller-manager.log",
        lambda: ask("/api/v1/namespaces/default/serviceaccounts/default") == 200,
    )
    try:
        with store.running(), api.running(), controllers.running():
            yield Plane(server, Kubectl(admin), credentials, folder, store, api, controllers)
    finally:
        shutil.rmtree(folder / "etcd", ignore_errors=True)  # 130 MB, of use to nobody


def wait_until(is_so: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait, within so many seconds, for something that the plane will show."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not so after {seconds} s: {what}"
        time.sleep(0.05)


def etcd_command(program: Path, folder: Path, client: int, peer: int) -> list[str]:
    """Make etcd's command line: on loopback, its data in the folder."""
    return [
        str(program),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",  # what a power failure would lose is of no use here
        "--log-level=warn",
    ]


def api_server_flags(credentials: Credentials, etcd: int, port: int, *hosts: str) -> list[str]:
    """Make those of kube-apiserver's flags that do not depend on its network. hosts: that its certificate is for."""
    certificate, key = credentials.issue_server("kube-apiserver", *hosts)
    _, signing_key = credentials.issue_client("service-accounts")
    policy = credentials.folder / "audit-policy.json"
    policy.write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--secure-port={port}",
        f"--tls-cert-file={certificate}",
        f"--tls-private-key-file={key}",
        f"--client-ca-file={credentials.ca}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={signing_key}",
        f"--service-account-signing-key-file={signing_key}",
        f"--audit-policy-file={policy}",
        f"--audit-log-path={credentials.folder / 'audit.log'}",
    ]


def controller_manager_flags(credentials: Credentials, server: str) -> list[str]:
    """Make those of kube-controller-manager's flags that do not depend on which controllers it runs."""
    return [
        f"--kubeconfig={credentials.write_kubeconfig(server, 'system:kube-controller-manager')}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--service-account-private-key-file={credentials.folder / 'service-accounts.key'}",
        f"--root-ca-file={credentials.ca}",
        "--use-service-account-credentials=true",  # RBAC knows each controller by its own account
    ]


def _api_server(program: Path, credentials: Credentials, etcd: int, port: int, address: str) -> list[str]:
    names = dict.fromkeys(("127.0.0.1", "localhost", "kubernetes.default.svc", address))
    return [
        str(program),
        *api_server_flags(credentials, etcd, port, *names),
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",  # it refuses a loopback address as an endpoint
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
    ]


def _controller_manager(program: Path, credentials: Credentials, server: str) -> list[str]:
    controllers = ",".join(f"{name}-controller" for name in CONTROLLERS)
    return [str(program), *controller_manager_flags(credentials, server), f"--controllers={controllers}"]


def _is_healthy(port: int) -> bool:
    with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200


@dataclass(frozen=True)
class _Api:
    """kube-apiserver, asked as `admin` without kubectl: while it starts."""

    credentials: Credentials
    port: int

    def ask(self, path: str) -> int:
        context = self.credentials.trust_as("admin")
        with contextlib.closing(HTTPSConnection("127.0.0.1", self.port, context=context, timeout=5)) as connection:
            connection.request("GET", path)
            return connection.getresponse().status
