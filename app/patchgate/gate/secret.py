"""Opens the Secret that certificates come from. The Kubernetes client is imported where one is asked for."""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from patchgate.gate.settings import TlsSecret

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
    from patchgate.pki.cluster.keeper import SecretKeeper
    from patchgate.pki.cluster.secret import SecretStore
    from patchgate.pki.cluster.webhooks import open_webhooks

    api = make_client()
    name = chosen.webhook_configuration
    webhooks = open_webhooks(api, name) if name else None
    return SecretKeeper(SecretStore(api, namespace, chosen.name), webhooks, chosen.issues, names, chosen.lives, clock)
