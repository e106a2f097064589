"""Plans what a ValidatingWebhookConfiguration must hold. Pure.

Rules:
    - What is wanted is held word for word; what kube-apiserver added to it (its defaults) is no difference. What
      narrows whom is asked about (selectors, conditions) is never more than what is wanted.
    - A caBundle is somebody else's to change: a webhook keeps its own, a new one takes that of its neighbours, and the
      first ones the CA that is given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

Webhook: TypeAlias = Mapping[str, Any]
"""A webhook as JSON has it (admissionregistration.k8s.io/v1, ValidatingWebhook)."""
_NARROWING: Final = ("namespaceSelector", "objectSelector", "matchConditions")


def plan_webhooks(live: Sequence[Webhook], wanted: Sequence[Webhook], ca_bundle: str) -> list[Webhook] | None:
    """Plan the webhooks of a configuration; None where it holds what is wanted.

    ca_bundle: base64 of the CA's PEM; empty where callers know the CA by themselves.
    """
    if len(live) == len(wanted) and all(map(_is_in_force, live, wanted)):
        return None
    bundles = {each.get("name"): bundle for each in live if (bundle := _read_bundle(each))}
    otherwise = next(iter(bundles.values()), ca_bundle)
    return [_with_bundle(each, bundles.get(each.get("name"), otherwise)) for each in wanted]


def list_names(webhooks: Iterable[Webhook]) -> list[str]:
    """List their names, for a log."""
    return [str(each.get("name")) for each in webhooks]


def _is_in_force(live: Webhook, wanted: Webhook) -> bool:
    """Tell whether a webhook is live as wanted. An empty selector, its default, is none."""
    return _covers(live, wanted) and all((live.get(key) or None) == (wanted.get(key) or None) for key in _NARROWING)


def _covers(live: object, wanted: object) -> bool:
    """Tell whether what is live says all that is wanted; objects may say more, lists may not."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        return all(key in live and _covers(live[key], value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(live, list):
        return len(live) == len(wanted) and all(map(_covers, live, wanted))
    return live == wanted


def _read_bundle(webhook: Webhook) -> str:
    client = webhook.get("clientConfig")
    bundle = client.get("caBundle") if isinstance(client, Mapping) else None
    return bundle if isinstance(bundle, str) else ""


def _with_bundle(webhook: Webhook, bundle: str) -> Webhook:
    client = webhook.get("clientConfig")
    if not bundle or not isinstance(client, Mapping):
        return webhook
    return {**webhook, "clientConfig": {**client, "caBundle": bundle}}
