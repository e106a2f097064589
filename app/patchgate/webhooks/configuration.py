"""A ValidatingWebhookConfiguration in a cluster: made to hold what a ConfigMap says, within bounds, and never less.

It is patched as it was read (resourceVersion), so replicas and whoever keeps the caBundles do not undo each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from kubernetes.client import AdmissionregistrationV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import read_mapping, read_object, read_texts
from patchgate.cluster.event import EventWriter
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.configmaps.webhooks import KEY, read_webhooks
from patchgate.errors import InvalidManifestError, RefusedWebhooksError, SourceError
from patchgate.limits import EVENT_MESSAGE_BYTES
from patchgate.webhooks.bounds import Bounds
from patchgate.webhooks.plan import Webhook, list_names, plan_webhooks

_OVERTAKEN: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND})
_CA: Final = "ca.crt"
_REFUSED: Final = "WebhooksRefused"
"""Reason of the Event on a ConfigMap of webhooks that is not applied."""


@dataclass(frozen=True, slots=True)
class WebhookKeeper:
    """Keeps the webhooks of a configuration as a ConfigMap says.

    Attributes:
        api: asked for the ConfigMap and the Secret.
        namespace: of both.
        configmap: says which webhooks there should be.
        secret: whose `ca.crt` the first ones trust.
        configuration: name of what holds them.
        bounds: what the ConfigMap may say.
        pace: how long an answer may take.
    """

    api: CoreV1Api
    namespace: str
    configmap: str
    secret: str
    configuration: str
    bounds: Bounds
    pace: Pace = field(default_factory=Pace)

    def look(self) -> list[str] | None:
        """Look once, and put right what is not; give the names of webhooks that were written. Blocks.

        None: there is no configuration of that name. One that somebody wrote at this moment is left to the next look.

        Raises:
            RefusedWebhooksError: the ConfigMap holds something that must not be applied; nothing is changed.
            SourceError: something cannot be read or written.
        """
        found = self._ask_unless_absent(
            self._admission.read_validating_webhook_configuration, "validatingwebhookconfiguration", self.configuration
        )
        if found is None:
            return None
        listed = found.get("webhooks")
        live = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        webhooks = plan_webhooks(live, self._read_wanted(), "" if live else self._read_ca())
        if webhooks is None:
            return []
        return list_names(webhooks) if self._write(found, webhooks) else []

    def announce(self, refusal: RefusedWebhooksError, now: datetime) -> None:
        """Write an Event on the ConfigMap that was refused. Blocks. now: aware UTC.

        Raises:
            SourceError: it could not be written.
        """
        writer = EventWriter(self.api, self.namespace, lambda _: refusal.uid or None, self.pace, _REFUSED)
        message = str(refusal).encode()[:EVENT_MESSAGE_BYTES].decode(errors="ignore")
        writer.write(refusal.configmap, message, now)

    @property
    def _admission(self) -> AdmissionregistrationV1Api:
        return AdmissionregistrationV1Api(self.api.api_client)

    def _read_wanted(self) -> tuple[Webhook, ...]:
        read = partial(self.api.read_namespaced_config_map, namespace=self.namespace)
        obj = self._ask_unless_absent(read, "configmap", self.configmap)
        data = read_texts(obj, "data")
        try:
            webhooks = read_webhooks(data)
        except InvalidManifestError as error:
            raise self._refuse(obj, str(error)) from error
        if fault := self.bounds.find_fault(data[KEY], webhooks):
            raise self._refuse(obj, fault)
        return webhooks

    def _refuse(self, obj: Mapping[str, Any] | None, fault: str) -> RefusedWebhooksError:
        uid = str(read_mapping(obj, "metadata").get("uid") or "") if obj else ""
        message = f"configmap {self.configmap} in {self.namespace}: {fault}"
        return RefusedWebhooksError(self.configmap, uid, message)

    def _read_ca(self) -> str:
        read = partial(self.api.read_namespaced_secret, namespace=self.namespace)
        obj = self._ask_unless_absent(read, "secret", self.secret)
        return read_texts(obj, "data").get(_CA, "")

    def _write(self, found: Mapping[str, Any], webhooks: list[Webhook]) -> bool:
        """Write the webhooks where nobody changed the configuration since; tell whether it was so."""
        version = read_mapping(found, "metadata").get("resourceVersion")
        patch: list[dict[str, Any]] = [
            # not a "test": one that fails is answered 422, as are webhooks that kube-apiserver refuses
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "add", "path": "/webhooks", "value": webhooks},
        ]
        write = partial(self._admission.patch_validating_webhook_configuration, body=patch)
        try:
            self._ask(write, self.configuration)
        except Exception as error:
            if isinstance(error, ApiException) and error.status in _OVERTAKEN:
                return False
            raise self._explain(error, "patch", "validatingwebhookconfiguration", self.configuration) from error
        return True

    def _ask_unless_absent(self, ask: Callable[..., object], kind: str, name: str) -> dict[str, Any] | None:
        try:
            return self._ask(ask, name)
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.NOT_FOUND:
                return None
            raise self._explain(error, "get", kind, name) from error

    def _ask(self, ask: Callable[..., object], name: str) -> dict[str, Any]:
        return read_object(ask(name=name, _preload_content=False, _request_timeout=self.pace.request_seconds))

    def _explain(self, error: Exception, verb: str, kind: str, name: str) -> SourceError:
        needed = f"give its service account {verb} on {kind} {name}"
        return SourceError(say_failure(error, f"{verb} {kind} {name}", self.api.api_client.configuration.host, needed))
