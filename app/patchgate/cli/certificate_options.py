"""Options that say where certificates come from and how long they live, and what they are read into."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from patchgate.errors import SetupError
from patchgate.gate.settings import Arming, ClientCertificates, SelfSigned, TlsFiles, TlsSecret
from patchgate.pki.lives import Lives
from patchgate.server.callers import ClientAuth

_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
"""RFC 1123, a subdomain: what objects of Kubernetes are called."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DAYS_MOST: Final = 100 * 365


def _parse_name(text: str) -> str:
    if _NAME.fullmatch(text):
        return text
    raise typer.BadParameter("write the name of an object, such as patchgate-tls")


def _parse_sha256(text: str) -> str:
    if _SHA256.fullmatch(text):
        return text
    raise typer.BadParameter("write 64 hexadecimal digits, in lower case")


Certificate = Annotated[
    Path | None, typer.Option("--tls-cert", envvar="PATCHGATE_TLS_CERT", metavar="FILE", help="Certificate chain, PEM.")
]
Key = Annotated[
    Path | None, typer.Option("--tls-key", envvar="PATCHGATE_TLS_KEY", metavar="FILE", help="Its key, PEM.")
]
SelfSignedDirectory = Annotated[
    Path | None,
    typer.Option(
        "--self-signed",
        envvar="PATCHGATE_SELF_SIGNED",
        metavar="DIR",
        help="Instead: make ca.crt, tls.crt and tls.key in DIR at the first start, and keep them.",
    ),
]
TlsSecretName = Annotated[
    str | None,
    typer.Option(
        "--tls-secret",
        envvar="PATCHGATE_TLS_SECRET",
        metavar="NAME",
        parser=_parse_name,
        help="Instead: tls.crt, tls.key and ca.crt of a Secret in the system namespace, cert-manager's or yours; "
        "only read unless --issue-certificates.",
    ),
]
Issues = Annotated[
    bool,
    typer.Option(
        "--issue-certificates",
        envvar="PATCHGATE_ISSUE_CERTIFICATES",
        help="Keep that Secret: issue a CA and a leaf, renew them, and have the caBundles follow.",
    ),
]
WebhookConfiguration = Annotated[
    str | None,
    typer.Option(
        "--webhook-configuration",
        envvar="PATCHGATE_WEBHOOK_CONFIGURATION",
        metavar="NAME",
        parser=_parse_name,
        help="ValidatingWebhookConfiguration whose caBundles must hold the CA before a leaf of it is served; patched "
        "with --issue-certificates.",
    ),
]
WebhooksConfigMap = Annotated[
    str | None,
    typer.Option(
        "--webhooks",
        envvar="PATCHGATE_WEBHOOKS",
        metavar="CONFIGMAP",
        parser=_parse_name,
        help="ConfigMap in the system namespace with the webhooks that --webhook-configuration is to hold: put into it "
        "once the gate is ready, and never taken out. They may ask the gate's own Service about what it judges alone.",
    ),
]
WebhooksSha256 = Annotated[
    str | None,
    typer.Option(
        "--webhooks-sha256",
        envvar="PATCHGATE_WEBHOOKS_SHA256",
        metavar="HEX",
        parser=_parse_sha256,
        help="Apply that ConfigMap only while its webhooks.yaml has this SHA-256: selectors and conditions cannot be "
        "changed by anyone who may write ConfigMaps.",
    ),
]
ServiceName = Annotated[
    str,
    typer.Option(
        "--service-name",
        envvar="PATCHGATE_SERVICE_NAME",
        metavar="NAME",
        parser=_parse_name,
        help="The gate's own Service: a certificate must be good for NAME.NAMESPACE.svc.",
    ),
]
ClientCa = Annotated[
    Path | None,
    typer.Option(
        "--client-ca",
        envvar="PATCHGATE_CLIENT_CA",
        metavar="FILE",
        help="Ask callers of /validate for a client certificate of these CAs, PEM: kube-apiserver's. Read again when "
        "it changes. Probes need none.",
    ),
]
ClientAuthChoice = Annotated[
    ClientAuth | None,
    typer.Option(
        "--client-auth",
        envvar="PATCHGATE_CLIENT_AUTH",
        help="What a review without such a certificate gets: observe answers and counts it, require refuses it. "
        "[default with --client-ca: observe]",
    ),
]
ClientNames = Annotated[
    list[str] | None,
    typer.Option(
        "--client-name",
        envvar="PATCHGATE_CLIENT_NAME",
        metavar="NAME",
        help="Common name or DNS name that the certificate must have (repeatable). Unless given: any of those CAs.",
    ),
]
CaDays = Annotated[
    int,
    typer.Option(
        "--ca-days",
        envvar="PATCHGATE_CA_DAYS",
        min=1,
        max=_DAYS_MOST,
        help="How long a CA of ours lives; the next one comes at two thirds of it.",
    ),
]
LeafDays = Annotated[
    int,
    typer.Option(
        "--leaf-days",
        envvar="PATCHGATE_LEAF_DAYS",
        min=1,
        max=_DAYS_MOST,
        help="How long a leaf of ours lives; it is renewed at two thirds of it.",
    ),
]


def choose_files(certificate: Path | None, key: Path | None) -> TlsFiles | None:
    """Choose the files of a pair; None where none is named.

    Raises:
        SetupError: only one of them is named.
    """
    if certificate and key:
        return TlsFiles(certificate, key)
    if certificate or key:
        raise SetupError(_CHOICE)
    return None


def choose_secret(
    name: str | None, webhook_configuration: str | None, lives: Lives, *, issues: bool
) -> TlsSecret | None:
    """Choose the Secret; None where none is named.

    Raises:
        SetupError: what needs a Secret is asked for without one.
    """
    if name:
        return TlsSecret(name, issues, webhook_configuration, lives)
    if issues or webhook_configuration:
        raise SetupError("serve: --issue-certificates and --webhook-configuration need --tls-secret NAME")
    return None


def choose_arming(configmap: str | None, sha256: str | None, secret: TlsSecret | None) -> Arming | None:
    """Choose what the gate arms; None where nothing is named. sha256: of what the ConfigMap must hold.

    Raises:
        SetupError: nothing says where it is to be put, or what should have that checksum.
    """
    if not configmap:
        if sha256:
            raise SetupError("serve: --webhooks-sha256 needs --webhooks CONFIGMAP")
        return None
    if not secret or not secret.webhook_configuration:
        raise SetupError("serve: --webhooks needs --webhook-configuration NAME")
    return Arming(configmap, secret.webhook_configuration, secret.name, sha256 or "")


def choose_clients(ca: Path | None, auth: ClientAuth | None, names: list[str] | None) -> ClientCertificates | None:
    """Choose which callers of reviews are accepted; None where callers are not asked for a certificate.

    Raises:
        SetupError: nothing says which CA verifies them.
    """
    if ca:
        return ClientCertificates(ca, auth or ClientAuth.OBSERVE, tuple(names or ()))
    if auth or names:
        raise SetupError("serve: --client-auth and --client-name need --client-ca FILE")
    return None


def choose_tls(
    files: TlsFiles | None, self_signed: Path | None, secret: TlsSecret | None
) -> TlsFiles | SelfSigned | TlsSecret:
    """Choose where certificate and key come from.

    Raises:
        SetupError: nothing is named, or more than one.
    """
    directory = SelfSigned(self_signed) if self_signed else None
    named = [each for each in (files, directory, secret) if each]
    if len(named) != 1:
        raise SetupError(_CHOICE)
    return named[0]


def make_lives(ca_days: int, leaf_days: int) -> Lives:
    """Make the lengths of life of these settings."""
    return Lives(timedelta(days=ca_days), timedelta(days=leaf_days))


_CHOICE: Final = "serve: give --tls-cert and --tls-key, or --tls-secret NAME, or --self-signed DIR alone"
