"""Opens the Secret that certificates come from. The Kubernetes client is imported where one is asked for."""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate.cluster.access import Access
from patchgate.errors import CertificateError
from patchgate.gate.settings import TlsSecret
from patchgate.limits import SECRET_READ_SECONDS
from patchgate.pki.contents import Leaf
from patchgate.server.tls import Pair, make_pair

if TYPE_CHECKING:
    from patchgate.pki.cluster.keeper import SecretKeeper


def open_secret(
    chosen: TlsSecret, access: Access, namespace: str, names: tuple[str, ...], clock: Callable[[], datetime]
) -> "SecretKeeper":
    """Open a Secret; nothing is asked yet.

    names: that the certificate must be good for, first as kube-apiserver calls the gate.
    clock: gives now, aware UTC.

    Raises:
        SourceError: no cluster to ask.
    """
    from patchgate.cluster.client import make_client
    from patchgate.cluster.pace import Pace
    from patchgate.pki.cluster.keeper import SecretKeeper
    from patchgate.pki.cluster.secret import SecretStore
    from patchgate.pki.cluster.webhooks import open_webhooks

    api, pace = make_client(access), Pace(read_seconds=SECRET_READ_SECONDS)
    name = chosen.webhook_configuration
    webhooks = open_webhooks(api, name, pace) if name else None
    secret = SecretStore(api, namespace, chosen.name, pace)
    return SecretKeeper(secret, webhooks, chosen.issues, names, chosen.lives, clock, _find_refusal)


def load_leaf(leaf: Leaf) -> Pair:
    """Load a Secret's leaf.

    Raises:
        CertificateError: OpenSSL does not take what was understood: a key too short, a digest too weak.
    """
    return make_pair(leaf.certificate_pem, leaf.key_pem, "tls.crt and tls.key of the Secret")


def _find_refusal(leaf: Leaf) -> str:
    try:
        load_leaf(leaf)
    except CertificateError as error:
        return str(error)
    return ""
