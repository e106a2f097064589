"""The Secret of certificates in a cluster: read, and written where nobody wrote it meanwhile (resourceVersion)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import check_answer, read_date, read_mapping, read_object, read_texts
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.pki.contents import CA, CA_KEY, CERTIFICATE, CHANGED, KEY, Contents

_CERT_MANAGER: Final = "cert-manager.io/"
"""How cert-manager's annotations on a Secret that it keeps begin (cert-manager documentation, "Annotations")."""
_KEYS: Final = {CERTIFICATE: "certificate", KEY: "key", CA: "ca", CA_KEY: "ca_keys", CHANGED: "changed"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A Secret as it was read.

    Attributes:
        contents: its values.
        version: its resourceVersion; empty where there is no Secret.
        keeper: who else keeps it, such as cert-manager; empty where nobody says so.
        written: the whole object as JSON has it, to be written back with other values.
        asked_at: kube-apiserver's time, aware UTC; None where it did not say.
    """

    contents: Contents = field(default_factory=Contents)
    version: str = ""
    keeper: str = ""
    written: Mapping[str, Any] = field(default_factory=dict, repr=False)  # keys are in it
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SecretStore:
    """One Secret.

    Attributes:
        api: asked for it.
        namespace: of the Secret.
        name: its name.
        pace: how long an answer may take.
    """

    api: CoreV1Api
    namespace: str
    name: str
    pace: Pace = field(default_factory=Pace)

    def read(self) -> Stored:
        """Read it; empty where there is none. Blocks.

        Raises:
            SourceError: it cannot be told.
        """
        try:
            answer = self.api.read_namespaced_secret(
                self.name, self.namespace, _preload_content=False, _request_timeout=self.pace.request_seconds
            )
            return _understand(read_object(answer), read_date(check_answer(answer).headers))
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.NOT_FOUND:
                return Stored(asked_at=read_date(error.headers))
            raise self._explain(error, "get") from error

    def write(self, stored: Stored, contents: Contents) -> bool:
        """Write other values; tell whether nobody was there before. Blocks.

        Raises:
            SourceError: it cannot be written.
        """
        verb = "update" if stored.version else "create"
        try:
            self._send(stored, contents)
        except Exception as error:
            if isinstance(error, ApiException) and error.status in {HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND}:
                return False
            raise self._explain(error, verb) from error
        return True

    def _send(self, stored: Stored, contents: Contents) -> None:
        limits: dict[str, Any] = {"_preload_content": False, "_request_timeout": self.pace.request_seconds}
        values = {key: getattr(contents, name) for key, name in _KEYS.items()}
        data = {key: base64.b64encode(value).decode() for key, value in values.items() if value}
        if stored.version:
            body: Any = {**stored.written, "data": {**read_texts(stored.written, "data"), **data}}
            read_object(self.api.replace_namespaced_secret(self.name, self.namespace, body, **limits))
            return
        metadata = {"name": self.name, "namespace": self.namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": metadata, "data": data}
        read_object(self.api.create_namespaced_secret(self.namespace, body, **limits))

    def _explain(self, error: Exception, verb: str) -> SourceError:
        needed = f"give its service account a Role with {verb} on the Secret {self.name}"
        if verb == "create":
            needed = f"make an empty Secret {self.name} of the type kubernetes.io/tls"
        action = f"{verb} secret {self.name} in {self.namespace}"
        return SourceError(say_failure(error, action, self.api.api_client.configuration.host, needed))


def _understand(obj: Mapping[str, Any], asked_at: datetime | None) -> Stored:
    data = read_texts(obj, "data")
    metadata = read_mapping(obj, "metadata")
    annotations = read_texts(metadata, "annotations")
    keeper = "cert-manager" if any(name.startswith(_CERT_MANAGER) for name in annotations) else ""
    values = {name: _decode(data.get(key, "")) for key, name in _KEYS.items()}
    return Stored(Contents(**values), read_texts(obj, "metadata").get("resourceVersion", ""), keeper, obj, asked_at)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""
