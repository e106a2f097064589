"""Fetches ConfigMaps whose version is new, one at a time, so that no more than one of them is ever in memory."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException

from patchgate.cluster.answer import read_mapping, read_object, read_texts
from patchgate.cluster.failure import FOLLOW_RIGHTS, say_failure
from patchgate.cluster.pace import Pace
from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.documents import BINARY
from patchgate.errors import SourceError
from patchgate.policy.part import Problem
from patchgate.sources.source import Reading


@dataclass(frozen=True, slots=True)
class Entry:
    """A ConfigMap without what it holds.

    Attributes:
        name: its name.
        labels: its labels.
        version: its resourceVersion, another one after each change.
        uid: another one for each that had the name.
    """

    name: str
    labels: Mapping[str, str]
    version: str
    uid: str


def read_entry(obj: object) -> Entry:
    """Read the metadata that count of an object as JSON has it; what is not there is empty."""
    metadata = read_texts(obj, "metadata")
    labels = read_texts(read_mapping(obj, "metadata"), "labels")
    return Entry(metadata.get("name", ""), labels, metadata.get("resourceVersion", ""), metadata.get("uid", ""))


@dataclass(frozen=True, slots=True)
class _Held:
    """What is remembered of a ConfigMap that was handed over.

    Attributes:
        versions: the one that was listed, and the one that was fetched, which may be newer.
        problems: what in it is no text.
    """

    versions: frozenset[str]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class Fetcher:
    """Hands over the ConfigMaps that are new to it.

    Attributes:
        api: asked for each.
        namespace: of all of them.
        concerns: tells by name and labels whether a ConfigMap matters; of others not a byte is fetched.
        pace: how long an answer may take.
        is_ended: tells whether nothing more is to be asked.
        needed: what to do where the right is missing.
    """

    api: CoreV1Api
    namespace: str
    concerns: Callable[[ConfigMap], bool]
    pace: Pace
    is_ended: Callable[[], bool] = lambda: False
    needed: str = FOLLOW_RIGHTS
    _held: dict[str, _Held] = field(default_factory=dict)

    def read(self, listed: Iterable[object], take: Callable[[ConfigMap], None]) -> Reading:
        """Hand over those of the listed ones that concern us and are new. Blocks.

        Raises:
            SourceError: one could not be fetched. All that was handed over will be again.
        """
        entries = map(read_entry, listed)
        versions = {each.name: each.version for each in entries if self.concerns(ConfigMap(each.name, each.labels, {}))}
        held: dict[str, _Held] = {}
        for name, version in versions.items():
            known = self._held.get(name)
            new = known if known and version in known.versions else self._fetch(name, version, take)
            if new:
                held[name] = new
        self._held = held
        return Reading(frozenset(held), tuple(problem for each in held.values() for problem in each.problems))

    def forget(self, names: Iterable[str]) -> None:
        """Fetch these again at the next reading."""
        for name in names:
            self._held.pop(name, None)

    def _fetch(self, name: str, version: str, take: Callable[[ConfigMap], None]) -> _Held | None:
        """Fetch one and hand it over; None where it is gone meanwhile."""
        host, seconds = self.api.api_client.configuration.host, self.pace.request_seconds
        if self.is_ended():
            raise SourceError(f"{host} is asked no more: the gate ends")
        try:
            obj = read_object(
                self.api.read_namespaced_config_map(
                    name, self.namespace, _preload_content=False, _request_timeout=seconds
                )
            )
        except Exception as error:
            if isinstance(error, ApiException) and error.status == HTTPStatus.NOT_FOUND:
                return None
            action = f"get configmaps in {self.namespace}"
            raise SourceError(say_failure(error, action, host, self.needed)) from error
        entry = read_entry(obj)
        binary = frozenset(read_mapping(obj, "binaryData"))
        take(ConfigMap(name, entry.labels, read_texts(obj, "data"), binary))
        problems = tuple(Problem(name, key, BINARY) for key in sorted(binary))
        return _Held(frozenset((version, entry.version)), problems)
