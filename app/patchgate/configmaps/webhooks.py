"""The ConfigMap of webhooks that the chart writes: which ones the gate puts in force."""

from collections.abc import Mapping
from typing import Any, Final

from patchgate.configmaps.documents import load_documents
from patchgate.errors import InvalidManifestError

KEY: Final = "webhooks.yaml"


def read_webhooks(data: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
    """Read the webhooks of a ConfigMap's data: a list of ValidatingWebhook (admissionregistration.k8s.io/v1).

    Raises:
        InvalidManifestError: there is none, or what is there is none.
    """
    documents = load_documents(data.get(KEY, ""))
    listed = documents[0] if len(documents) == 1 else None
    if not isinstance(listed, list) or not listed:
        raise InvalidManifestError(f"{KEY} must be a list with at least one webhook")
    for webhook in listed:
        if not isinstance(webhook, dict) or not isinstance(webhook.get("name"), str):
            raise InvalidManifestError(f"{KEY}: a webhook without a name")
    return tuple(listed)
