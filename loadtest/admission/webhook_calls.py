"""Which webhooks kube-apiserver called, by its own count: that a side's were asked about each Pod, and no others."""

import re
from collections.abc import Mapping
from typing import Final

from loadtest.servers import ServerError

_SERIES: Final = re.compile(r"apiserver_admission_webhook_request_total\{(.*)\} (\S+)")
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


def read_calls(metrics: str) -> dict[str, int]:
    """Read from kube-apiserver's metrics how often each validating webhook was called when something was created."""
    calls: dict[str, int] = {}
    for found in map(_SERIES.fullmatch, metrics.splitlines()):
        labels = dict(_LABEL.findall(found[1])) if found else {}
        if found and (labels["type"], labels["operation"]) == ("validating", "CREATE"):
            calls[labels["name"]] = calls.get(labels["name"], 0) + int(float(found[2]))
    return calls


def check_calls(webhook: str, pods: int, clients: int, before: Mapping[str, int], after: Mapping[str, int]) -> None:
    """Check that a side's own webhook was called for each of so many Pods, and nobody else's.

    webhook: what its name contains; empty where none may be called. clients: so many calls of the turn before, one of
    each, may have been on their way still, as kube-apiserver does not notice at once that wrk is gone.

    Raises:
        ServerError: it is not so.
    """
    calls = {name: count - before.get(name, 0) for name, count in after.items() if count > before.get(name, 0)}
    own = sum(count for name, count in calls.items() if webhook and webhook in name)
    if sum(calls.values()) - own > min(clients, pods - 1) or (webhook and own < pods):
        raise ServerError(f"{pods} Pods, of which {webhook or 'no webhook'} should be asked, and were called: {calls}")
