"""Asks kube-apiserver for the names and versions of ConfigMaps, and for word of changes: what the informer calls.

The informer of the client asks as fast as it can when it fails, and for ever when nobody answers. So it asks through
here: with time limits, with pauses that grow, and for metadata alone (`PartialObjectMetadata`, Kubernetes API concepts,
"Alternate representations of resources"): what it keeps of a ConfigMap is its name, labels and version.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import read_object, read_texts
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.limits import FAILURES_IN_A_ROW
from patchgate.sources.cluster.contact import Contact

_KIND: Final = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"
_BRIEF: Final = "the watch ends as soon as it begins"


@dataclass(frozen=True, slots=True)
class ListMetadata:
    """Of a list: the version that a watch goes on from."""

    resource_version: str


@dataclass(frozen=True, slots=True)
class NamesListed:
    """A list as the informer takes it: objects as JSON has them, without what they hold."""

    items: list[Any]
    metadata: ListMetadata


def list_names(api: CoreV1Api, namespace: str, pace: Pace) -> NamesListed:
    """List the ConfigMaps of a namespace, without what they hold.

    Raises:
        Exception: whatever the client raises; `say_failure` says it.
    """
    content = read_object(
        api.list_namespaced_config_map(
            namespace,
            _preload_content=False,
            _headers={"Accept": _KIND.format(list="List")},
            _request_timeout=pace.request_seconds,
        )
    )
    items = content["items"] or []  # null is how no ConfigMap is said
    return NamesListed(items, ListMetadata(read_texts(content, "metadata").get("resourceVersion", "")))


@dataclass(slots=True)
class NameList:
    """The informer's list function: the same call lists, and begins a watch. Called by the informer's thread alone."""

    api: CoreV1Api
    contact: Contact
    pace: Pace
    _failures: int = 0
    _brief_watches: int = 0

    # The informer learns from this annotation what a watch yields: objects as JSON has them.
    def __call__(self, namespace: str, *, watch: bool = False, **options: Any) -> object:  # noqa: ANN401
        """List, or begin a watch, after the pause that is due.

        Raises:
            Exception: it failed, which is noted as well; the informer asks again.
        """
        self._count_brief_watch()
        if self.contact.is_ended.wait(self.pace.choose_pause_seconds(self._failures)):
            raise InterruptedError
        if watch:
            self._ask_for_a_list()
        action = f"{'watch' if watch else 'list'} configmaps in {namespace}"
        try:
            answer = self._begin_watch(namespace, **options) if watch else list_names(self.api, namespace, self.pace)
        except Exception as error:
            self._failures += 1
            self.contact.fail(say_failure(error, action, self.api.api_client.configuration.host))
            raise
        self.contact.hear()
        if watch:
            self.contact.begin_watch()
        return answer

    def _count_brief_watch(self) -> None:
        lasted_seconds = self.contact.end_watch()
        if lasted_seconds is None:
            return
        is_brief = lasted_seconds < self.pace.steady_seconds
        self._failures = self._failures + 1 if is_brief else 0
        self._brief_watches = self._brief_watches + 1 if is_brief else 0
        if self._failures >= FAILURES_IN_A_ROW and not self.contact.failure:
            self.contact.fail(f"{self.api.api_client.configuration.host}: {_BRIEF}")

    def _ask_for_a_list(self) -> None:
        """Have the informer list anew where watches end as soon as they begin: from that version they may for ever.

        Raises:
            ApiException: 410 Gone, which the informer answers with a list.
        """
        if self._brief_watches >= FAILURES_IN_A_ROW:
            self._brief_watches = 0
            raise ApiException(status=HTTPStatus.GONE, reason="watches end at once; list anew")

    def _begin_watch(self, namespace: str, **options: Any) -> object:  # noqa: ANN401
        return self.api.list_namespaced_config_map(
            namespace,
            watch=True,
            allow_watch_bookmarks=True,
            _headers={"Accept": _KIND.format(list="")},
            _request_timeout=(self.pace.connect_seconds, self.pace.silence_seconds),
            **options | {"timeout_seconds": self.pace.choose_watch_seconds()},
        )
