"""The gate's settings: read once by the command line, typed, and passed down.

Each has its flag, its environment variable and its reason in `cli/serve.py`, the one place where they are read.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.limits import DRAIN_SECONDS
from patchgate.pki.lives import LIVES, Lives
from patchgate.policy.decision import Scope
from patchgate.server.callers import ClientAuth
from patchgate.server.judge import OnError
from patchgate.sources.config_source import SYSTEM_NAMESPACE, Cluster, Directory

SERVICE_NAME: Final = "patchgate"
KYVERNO_USERS: Final = tuple(
    f"system:serviceaccount:kyverno:kyverno-{controller}-controller"
    for controller in ("admission", "background", "cleanup", "reports")
)
"""Kyverno's service accounts, as its chart names them: each of these controllers may call a policy's service."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate and key in files that somebody else keeps."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A directory that keeps a CA and leaf of our own."""

    directory: Path


@dataclass(frozen=True, slots=True)
class TlsSecret:
    """A Secret in the system namespace.

    Attributes:
        name: its name.
        issues: whether we keep it: issue, renew and roll over; else it is only read.
        webhook_configuration: whose callers must trust the certificate; None where nobody says.
        lives: how long what we issue lives.
    """

    name: str
    issues: bool = False
    webhook_configuration: str | None = None
    lives: Lives = LIVES


@dataclass(frozen=True, slots=True)
class Arming:
    """What has kube-apiserver ask the gate.

    Attributes:
        configmap: says which webhooks there should be; in the system namespace.
        configuration: the ValidatingWebhookConfiguration that is to hold them.
        secret: whose `ca.crt` they trust at first.
        sha256: of the ConfigMap's webhooks.yaml, in hexadecimal digits; empty for any within the bounds.
    """

    configmap: str
    configuration: str
    secret: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class ClientCertificates:
    """Which callers of reviews are accepted.

    Attributes:
        ca: file of the CAs that verify their certificates, PEM.
        auth: what becomes of the others.
        names: common names or DNS names that are accepted; none for any certificate of the CAs.
    """

    ca: Path
    auth: ClientAuth
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen.

    Attributes:
        host: name or address.
        port: TCP port; 0 takes a free one.
    """

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What `patchgate serve` is told.

    Attributes:
        source: where ConfigMaps come from.
        access: which cluster is asked for anything else.
        listen: where reviews come in, over TLS.
        ops_listen: where metrics are given, over plain HTTP.
        tls: where certificate and key come from.
        scope: for whom a denial counts.
        controller_users: users that count as built-in controllers, besides those of Kubernetes.
        on_error: what a review gets when deciding fails.
        drain_seconds: how long the gate serves on after SIGTERM.
        closes_v1: whether answers of `/v1/` close their connection.
        clients: whose certificates reviews must come with; None where callers are not asked for one.
        token_audience: of the bearer tokens that `/v1/` asks for; None where it asks for none.
        token_users: who may show one: a user, or the beginning of users' names and `*`.
        names: the names under which ConfigMaps count.
        namespace: the one that the gate's own Service and Secret are in.
        service: the name of the gate's own Service.
        arming: what the gate puts in force when it is ready; None where others do.
        has_status_page: whether the ops listener shows one.
    """

    source: Directory | Cluster
    listen: Address
    ops_listen: Address
    tls: TlsFiles | SelfSigned | TlsSecret
    access: Access = field(default_factory=Access)
    scope: Scope = Scope.ALL
    controller_users: tuple[str, ...] = ()
    on_error: OnError = OnError.DENY
    drain_seconds: float = DRAIN_SECONDS
    closes_v1: bool = True
    clients: ClientCertificates | None = None
    token_audience: str | None = None
    token_users: tuple[str, ...] = KYVERNO_USERS
    names: Names = field(default_factory=Names)
    namespace: str = SYSTEM_NAMESPACE
    service: str = SERVICE_NAME
    arming: Arming | None = None
    has_status_page: bool = True

    @property
    def service_names(self) -> tuple[str, ...]:
        """What the gate's own Service is called, first as kube-apiserver calls it (admissionregistration/v1)."""
        return f"{self.service}.{self.namespace}.svc", f"{self.service}.{self.namespace}", self.service
