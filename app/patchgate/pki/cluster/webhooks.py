"""The caBundles of a ValidatingWebhookConfiguration: read, and patched where nobody changed them meanwhile."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from cryptography import x509
from kubernetes.client import AdmissionregistrationV1Api, CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import read_mapping, read_object
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.errors import SourceError
from patchgate.pki.pem import read_trusted, write_certificates

_OVERTAKEN: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY})
"""What a patch gets whose test fails (422), or whose object changed or went while it was applied."""


@dataclass(frozen=True, slots=True)
class CaBundles:
    """The caBundle of every webhook of a configuration.

    Attributes:
        webhooks: the webhooks as JSON has them.
        bundles: of each, what its callers trust; none where it cannot be read.
    """

    webhooks: tuple[Mapping[str, Any], ...]
    bundles: tuple[frozenset[x509.Certificate], ...]

    @property
    def everywhere(self) -> frozenset[x509.Certificate]:
        """What the callers of every webhook trust."""
        return frozenset.intersection(*self.bundles)

    @property
    def anywhere(self) -> frozenset[x509.Certificate]:
        """What the callers of some webhook trust."""
        return frozenset.union(*self.bundles)

    def by_name(self) -> Iterator[tuple[str, frozenset[x509.Certificate]]]:
        """Give each webhook's name, and what its callers trust."""
        return zip((str(webhook.get("name")) for webhook in self.webhooks), self.bundles, strict=True)


@dataclass(frozen=True, slots=True)
class WebhookStore:
    """One ValidatingWebhookConfiguration.

    Attributes:
        api: asked for it.
        name: its name.
        pace: how long an answer may take.
    """

    api: AdmissionregistrationV1Api
    name: str
    pace: Pace = field(default_factory=Pace)

    def read(self) -> CaBundles | None:
        """Read the caBundles; None where there is no such configuration, or no webhook in it. Blocks.

        Raises:
            SourceError: it cannot be told.
        """
        try:
            obj = read_object(
                self.api.read_validating_webhook_configuration(
                    self.name, _preload_content=False, _request_timeout=self.pace.request_seconds
                )
            )
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.NOT_FOUND:
                return None
            raise self._explain(error, "get") from error
        listed = obj.get("webhooks")
        webhooks = tuple(each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
        return CaBundles(webhooks, tuple(map(_read_bundle, webhooks))) if webhooks else None

    def write(self, found: CaBundles, wanted: Iterable[x509.Certificate]) -> bool:
        """Have every caBundle hold what is wanted and nothing else; tell whether anything was written. Blocks.

        One that holds it already, in whatever order, is left as it is.

        Raises:
            SourceError: it cannot be written.
        """
        certificates = tuple(wanted)
        patch = [
            operation
            for number, (webhook, bundle) in enumerate(zip(found.webhooks, found.bundles, strict=True))
            if bundle != frozenset(certificates)
            for operation in _make_patch(number, webhook, write_certificates(certificates))
        ]
        if not patch:
            return False
        try:
            read_object(
                self.api.patch_validating_webhook_configuration(
                    self.name, patch, _preload_content=False, _request_timeout=self.pace.request_seconds
                )
            )
        except Exception as error:
            if isinstance(error, ApiException) and error.status in _OVERTAKEN:
                return False
            raise self._explain(error, "patch") from error
        return True

    def _explain(self, error: Exception, verb: str) -> SourceError:
        needed = f"give its service account a ClusterRole with {verb} on the ValidatingWebhookConfiguration {self.name}"
        action = f"{verb} validatingwebhookconfiguration {self.name}"
        return SourceError(say_failure(error, action, self.api.api_client.configuration.host, needed))


def open_webhooks(api: CoreV1Api, name: str, pace: Pace) -> WebhookStore:
    """Open a configuration of the cluster that a client asks; nothing is asked yet."""
    return WebhookStore(AdmissionregistrationV1Api(api.api_client), name, pace)


def _read_bundle(webhook: Mapping[str, Any]) -> frozenset[x509.Certificate]:
    text = read_mapping(webhook, "clientConfig").get("caBundle", "")
    try:
        return frozenset(read_trusted(base64.b64decode(text)))
    except (binascii.Error, TypeError, ValueError):
        return frozenset()


def _make_patch(number: int, webhook: Mapping[str, Any], bundle: bytes) -> list[dict[str, Any]]:
    """Make a JSON patch (RFC 6902) that changes a webhook only as it was read."""
    path = f"/webhooks/{number}"
    return [
        {"op": "test", "path": f"{path}/name", "value": webhook.get("name")},
        {"op": "test", "path": f"{path}/clientConfig", "value": webhook.get("clientConfig")},
        {"op": "add", "path": f"{path}/clientConfig/caBundle", "value": base64.b64encode(bundle).decode()},
    ]
