"""Opens the Secret that certificates come from. The Kubernetes client is imported where one is asked for."""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate.gate.settings import TlsSecret
from patchgate.limits import SECRET_READ_SECONDS

if TYPE_CHECKING:
    from patchgate.pki.cluster.keeper import SecretKeeper


def open_secret(
    chosen: TlsSecret, namespace: str, names: tuple[str, ...], clock: Callable[[], datetime]
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

    api, pace = make_client(), Pace(read_seconds=SECRET_READ_SECONDS)
    name = chosen.webhook_configuration
    webhooks = open_webhooks(api, name, pace) if name else None
    secret = SecretStore(api, namespace, chosen.name, pace)
    return SecretKeeper(secret, webhooks, chosen.issues, names, chosen.lives, clock)
