"""`patchgate serve`: the gate. Here, and nowhere else, its settings are named: flag, environment, default and why."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from patchgate.cli.certificate_options import (
    CaDays,
    Certificate,
    ClientAuthChoice,
    ClientCa,
    ClientNames,
    Issues,
    Key,
    LeafDays,
    SelfSignedDirectory,
    ServiceName,
    TlsSecretName,
    WebhookConfiguration,
    WebhooksConfigMap,
    WebhooksSha256,
    choose_arming,
    choose_clients,
    choose_files,
    choose_secret,
    choose_tls,
    make_lives,
)
from patchgate.cli.options import (
    Context,
    Kubeconfig,
    Kubernetes,
    RecordConfigMaps,
    Source,
    SystemNamespace,
    choose_source,
)
from patchgate.cluster.access import Access
from patchgate.configmaps.configmap import Names
from patchgate.errors import SetupError
from patchgate.gate.compose import run_gate
from patchgate.gate.settings import KYVERNO_USERS, SERVICE_NAME, Address, GateSettings
from patchgate.limits import CA_DAYS, DRAIN_SECONDS, LEAF_DAYS, RECORD_CONFIGMAPS
from patchgate.policy.decision import Scope
from patchgate.server.judge import OnError
from patchgate.sources.config_source import SYSTEM_NAMESPACE


class Switch(StrEnum):
    """Whether there is something."""

    ON = "on"
    OFF = "off"


def _parse_address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not host.isascii() or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 -- RFC 9293, 3.1
        raise typer.BadParameter("write HOST:PORT, such as 0.0.0.0:8443")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


_Listen = Annotated[
    Address,
    typer.Option(
        "--listen",
        envvar="PATCHGATE_LISTEN",
        metavar="HOST:PORT",
        parser=_parse_address,
        help="Where reviews come in, over TLS. Port 0 takes a free one.",
    ),
]
_OpsListen = Annotated[
    Address,
    typer.Option(
        "--ops-listen",
        envvar="PATCHGATE_OPS_LISTEN",
        metavar="HOST:PORT",
        parser=_parse_address,
        help="Where metrics, the list of images and the status page are given, over plain HTTP: what is not patched is "
        "nobody else's.",
    ),
]
_Scope = Annotated[
    Scope,
    typer.Option(
        "--scope",
        envvar="PATCHGATE_SCOPE",
        help="all; rollouts: what built-in controllers make only warns, so that a lost node is no outage; "
        "pods: templates only warn.",
    ),
]


def _parse_user(text: str) -> str:
    if text and "*" not in text:
        return text
    raise typer.BadParameter("write one user, such as system:serviceaccount:argo-rollouts:argo-rollouts")


_ControllerUsers = Annotated[
    list[str] | None,
    typer.Option(
        "--controller-user",
        envvar="PATCHGATE_CONTROLLER_USER",
        metavar="USER",
        parser=_parse_user,
        help="User that counts as one of Kubernetes' own controllers (repeatable), such as an operator that makes "
        "Pods: what it makes is warned about within the rollout grace, and with --scope rollouts.",
    ),
]
_OnError = Annotated[
    OnError,
    typer.Option(
        "--on-error",
        envvar="PATCHGATE_ON_ERROR",
        help="What a review gets when deciding fails, a defect of ours: deny, as nobody knows what it would let in. "
        "The warn and audit paths always allow.",
    ),
]
_DrainSeconds = Annotated[
    float,
    typer.Option(
        "--drain-seconds",
        envvar="PATCHGATE_DRAIN_SECONDS",
        min=0,
        max=3600,
        help="How long to serve on after SIGTERM: until every kube-apiserver knows that the endpoint is gone.",
    ),
]
_ClosesV1 = Annotated[
    bool,
    typer.Option(
        "--close-v1/--keep-v1",
        envvar="PATCHGATE_CLOSE_V1",
        help="Whether answers of /v1/ close their connection: Kyverno with a caBundle leaves one open a call.",
    ),
]
_TokenAudience = Annotated[
    str | None,
    typer.Option(
        "--token-audience",
        envvar="PATCHGATE_TOKEN_AUDIENCE",
        metavar="AUDIENCE",
        help="Ask callers of /v1/ for a bearer token that kube-apiserver knows for this audience; Kyverno's is "
        "kyverno-svc.kyverno.io. While kube-apiserver cannot be asked, they get 503.",
    ),
]


def _parse_token_user(text: str) -> str:
    if text and "*" not in text[:-1]:
        return text
    raise typer.BadParameter("write a user such as system:serviceaccount:kyverno:kyverno-*, with * at the end alone")


_TokenUsers = Annotated[
    list[str] | None,
    typer.Option(
        "--token-user",
        envvar="PATCHGATE_TOKEN_USER",
        metavar="USER",
        parser=_parse_token_user,
        help="User whose token --token-audience accepts (repeatable); a * at the end covers all that begin so. "
        "Unless given: the four service accounts of Kyverno's controllers in the namespace kyverno.",
    ),
]
_StatusPage = Annotated[
    Switch,
    typer.Option(
        "--status-page",
        envvar="PATCHGATE_STATUS_PAGE",
        help="Whether the ops listener shows a page for people at /: it names what is not patched.",
    ),
]


def _choose_token_users(users: list[str] | None, audience: str | None) -> tuple[str, ...]:
    """Choose whose tokens are accepted.

    Raises:
        SetupError: users are named, and no token is asked for.
    """
    if users and not audience:
        raise SetupError("serve: --token-user needs --token-audience AUDIENCE")
    return tuple(users) if users else KYVERNO_USERS


def serve(  # noqa: PLR0913, PLR0917 -- a command's parameters are its flags
    source: Source = None,
    kubernetes: Kubernetes = False,  # noqa: FBT002 -- a flag
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    system_namespace: SystemNamespace = SYSTEM_NAMESPACE,
    listen: _Listen = "127.0.0.1:8443",  # type: ignore[assignment] # typer parses a default as it does a flag
    ops_listen: _OpsListen = "127.0.0.1:8080",  # type: ignore[assignment]
    tls_cert: Certificate = None,
    tls_key: Key = None,
    self_signed: SelfSignedDirectory = None,
    tls_secret: TlsSecretName = None,
    issue_certificates: Issues = False,  # noqa: FBT002 -- a flag
    webhook_configuration: WebhookConfiguration = None,
    webhooks: WebhooksConfigMap = None,
    webhooks_sha256: WebhooksSha256 = None,
    service_name: ServiceName = SERVICE_NAME,
    ca_days: CaDays = CA_DAYS,
    leaf_days: LeafDays = LEAF_DAYS,
    client_ca: ClientCa = None,
    client_auth: ClientAuthChoice = None,
    client_name: ClientNames = None,
    scope: _Scope = Scope.ALL,
    controller_user: _ControllerUsers = None,
    on_error: _OnError = OnError.DENY,
    drain_seconds: _DrainSeconds = DRAIN_SECONDS,
    close_v1: _ClosesV1 = True,  # noqa: FBT002 -- a flag
    token_audience: _TokenAudience = None,
    token_user: _TokenUsers = None,
    record_configmaps: RecordConfigMaps = RECORD_CONFIGMAPS,
    status_page: _StatusPage = Switch.ON,
) -> None:
    """Answer admission reviews over TLS, until SIGTERM. Exits 2 if it cannot start."""
    access = Access(kubeconfig, context)
    lives = make_lives(ca_days, leaf_days)
    secret = choose_secret(tls_secret, webhook_configuration, lives, issues=issue_certificates)
    settings = GateSettings(
        source=choose_source(source, kubernetes=kubernetes, namespace=system_namespace, access=access),
        access=access,
        listen=listen,
        ops_listen=ops_listen,
        tls=choose_tls(choose_files(tls_cert, tls_key), self_signed, secret),
        scope=scope,
        controller_users=tuple(controller_user or ()),
        on_error=on_error,
        drain_seconds=drain_seconds,
        closes_v1=close_v1,
        clients=choose_clients(client_ca, client_auth, client_name),
        token_audience=token_audience or None,
        token_users=_choose_token_users(token_user, token_audience),
        names=Names(record_configmaps=record_configmaps),
        namespace=system_namespace,
        service=service_name,
        arming=choose_arming(webhooks, webhooks_sha256, secret),
        has_status_page=status_page is Switch.ON,
    )
    run_gate(settings, clock=lambda: datetime.now(UTC), log_stream=sys.stderr)
