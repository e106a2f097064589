"""Writes an Event on a ConfigMap, for the people who wrote it: `kubectl describe configmap` shows it.

The Event's name is made of what it says, so that of many replicas one writes it and a repetition is none: to create
Events is all the right that this needs.
"""

import hashlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Final

from kubernetes.client import CoreV1Api, CoreV1Event, V1EventSource, V1ObjectMeta, V1ObjectReference
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.failure import FOLLOW_RIGHTS, say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError

_REASON: Final = "DataDoesNotCount"
_COMPONENT: Final = "patchgate"
_NAME_CHARACTERS: Final = 200
"""Of the ConfigMap's name in the Event's: a name has at most 253 (RFC 1123), and a checksum follows."""


@dataclass(frozen=True, slots=True)
class EventWriter:
    """Writes Events on the ConfigMaps of a namespace.

    Attributes:
        api: asked to create them.
        namespace: of the ConfigMaps, and so of the Events.
        find_uid: finds a ConfigMap's uid by its name; None where it is gone.
        pace: how long an answer may take.
        reason: what all of them are about, in a word.
        needed: what to do where the right is missing.
    """

    api: CoreV1Api
    namespace: str
    find_uid: Callable[[str], str | None]
    pace: Pace = field(default_factory=Pace)
    reason: str = _REASON
    needed: str = FOLLOW_RIGHTS

    def write(self, configmap: str, message: str, now: datetime) -> None:
        """Write a warning; one that is there already stays as it is. Blocks.

        message: UTF-8, at most EVENT_MESSAGE_BYTES.
        now: aware UTC.

        Raises:
            SourceError: it could not be written.
        """
        event = self._make_event(configmap, message, now)
        try:
            self.api.create_namespaced_event(self.namespace, event, _request_timeout=self.pace.request_seconds)
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.CONFLICT:
                return
            host = self.api.api_client.configuration.host
            action = f"create events in {self.namespace}"
            raise SourceError(say_failure(error, action, host, self.needed)) from error

    def _make_event(self, configmap: str, message: str, now: datetime) -> CoreV1Event:
        uid = self.find_uid(configmap)
        checksum = hashlib.blake2b(f"{uid} {message}".encode(), digest_size=8).hexdigest()
        name = f"{configmap[:_NAME_CHARACTERS].rstrip('-.')}.{checksum}"
        return CoreV1Event(
            metadata=V1ObjectMeta(name=name, namespace=self.namespace),
            involved_object=V1ObjectReference(
                api_version="v1", kind="ConfigMap", name=configmap, namespace=self.namespace, uid=uid
            ),
            type="Warning",
            reason=self.reason,
            message=message,
            source=V1EventSource(component=_COMPONENT),
            reporting_component=_COMPONENT,
            reporting_instance=socket.gethostname(),
            first_timestamp=now,
            last_timestamp=now,
            count=1,
        )
