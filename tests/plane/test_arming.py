"""The keeper of webhooks against the real kube-apiserver: whoever else writes at the same moment."""

import json
from collections.abc import Callable
from typing import Any

from kubernetes.client import CoreV1Api
from kubernetes.config import new_client_from_config

from patchgate.webhooks.bounds import Bounds
from patchgate.webhooks.configuration import WebhookKeeper
from tests.plane.control_plane import Plane
from tests.plane.webhooks import SYSTEM
from tests.webhooks.own import own_webhooks

NAME = "arming"
NAMES = ["enforce.patchgate.io", "warn.patchgate.io", "audit.patchgate.io"]
SERVICE = "arming-gate"


class Interrupted(CoreV1Api):
    """kube-apiserver, with somebody who writes between the look at the configuration and the write."""

    def __init__(self, client: object, interrupt: Callable[[], object]) -> None:
        super().__init__(client)
        self.interrupt = interrupt

    def read_namespaced_config_map(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 -- as the client has it
        self.interrupt()
        return super().read_namespaced_config_map(*arguments, **more)


def test_what_somebody_wrote_meanwhile_is_left_to_the_next_look_and_no_failure(plane: Plane) -> None:
    system = plane.kubectl.inside(SYSTEM)
    kind = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration"}
    system.do("create", "-f", "-", given={**kind, "metadata": {"name": NAME}})
    system.do(
        "create",
        "configmap",
        f"{NAME}-webhooks",
        f"--from-literal=webhooks.yaml={json.dumps(own_webhooks(SERVICE, SYSTEM))}",
    )
    changes = iter((["label", "validatingwebhookconfiguration", NAME, "changed=yes"], ["version"]))
    api = Interrupted(new_client_from_config(str(plane.kubectl.kubeconfig)), lambda: system.do(*next(changes)))
    keeper = WebhookKeeper(api, SYSTEM, f"{NAME}-webhooks", f"{NAME}-tls", NAME, Bounds(SERVICE, SYSTEM))
    assert keeper.look() == []
    assert keeper.look() == NAMES
    kept = system.get("validatingwebhookconfiguration", NAME)
    system.do("delete", "validatingwebhookconfiguration", NAME)
    assert kept["metadata"]["labels"] == {"changed": "yes"}
    assert [each["name"] for each in kept["webhooks"]] == NAMES
