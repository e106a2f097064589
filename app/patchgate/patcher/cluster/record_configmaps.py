"""The ConfigMaps of records in a cluster: read where they changed, written where nobody wrote meanwhile.

A reading asks for names and versions, and fetches what is new since the last. A write sends the object as it was read,
with two keys of its data replaced and the resourceVersion that it had, so that whatever somebody else put there stays,
and a conflict says so where they did it in between. None is ever made: that is the chart's part.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kubernetes.client import CoreV1Api
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from patchgate.cluster.answer import read_mapping, read_object, read_texts
from patchgate.cluster.failure import say_failure
from patchgate.cluster.pace import Pace
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.configmaps.policy_keys import read_policy
from patchgate.configmaps.record_book import RecordBook, read_book
from patchgate.configmaps.records import DIGESTS_KEY, KEY
from patchgate.errors import StoreError, UnreachableError
from patchgate.patcher.record_books import Edit
from patchgate.policy.policy import Naming
from patchgate.sources.cluster.fetch import read_entry
from patchgate.sources.cluster.name_list import list_names

READ_RIGHTS: Final = "give its service account a Role with get and list on configmaps"


@dataclass(frozen=True, slots=True)
class _Held:
    """A ConfigMap as it was read.

    Attributes:
        version: its resourceVersion.
        obj: the whole, as JSON has it, to be written back.
        configmap: the part that counts.
        fault: why its records cannot be read; empty where they can.
        binary_bytes: what others keep there that is no text.
    """

    version: str
    obj: Mapping[str, Any]
    configmap: ConfigMap
    fault: str
    binary_bytes: int


class RecordConfigMaps:
    """The books of a namespace. Not for several threads at once."""

    def __init__(self, api: CoreV1Api, namespace: str, names: Names, pace: Pace) -> None:
        self._api = api
        self._namespace = namespace
        self._names = names
        self._limits: dict[str, Any] = {"_preload_content": False, "_request_timeout": pace.request_seconds}
        self._pace = pace
        self._held: dict[str, _Held] = {}
        self._books: dict[str, tuple[_Held, Naming, RecordBook]] = {}

    @property
    def is_any_there(self) -> bool:
        """Whether the last reading found any ConfigMap of records."""
        return any(name in self._held for name in self._names.all_records)

    def read(self, now: datetime) -> list[RecordBook]:
        """Read every book; one that is not there has that as its fault.

        Raises:
            StoreError: kube-apiserver does not say.
        """
        with self._acting(f"list configmaps in {self._namespace}", READ_RIGHTS):
            listed = map(read_entry, list_names(self._api, self._namespace, self._pace).items)
        versions = {each.name: each.version for each in listed}
        for name in (self._names.image_list, *self._names.all_records):
            self._refresh(name, versions.get(name))
        image_list = self._held.get(self._names.image_list)
        naming = read_policy(image_list.configmap, None)[0].naming if image_list else Naming()
        return [self._read_book(name, naming, now) for name in self._names.all_records]

    def write(self, edit: Edit) -> None:
        """Write a book that was read.

        Raises:
            StoreError: it cannot be written; caused by a conflict where somebody else wrote it since.
        """
        name, obj = edit.name, self._held[edit.name].obj
        body: Any = {**obj, "data": {**read_mapping(obj, "data"), **edit.data}}
        needed = f"give its service account a Role with update on the ConfigMap {name}"
        with self._acting(f"update configmap {name} in {self._namespace}", needed):
            answer = self._api.replace_namespaced_config_map(name, self._namespace, body, **self._limits)
            written = read_object(answer)
        self._hold(name, written)

    def _refresh(self, name: str, version: str | None) -> None:
        known = self._held.get(name)
        if version is None:
            self._held.pop(name, None)
        elif known is None or known.version != version:
            with self._acting(f"get configmap {name} in {self._namespace}", READ_RIGHTS):
                obj = self._find(lambda: self._api.read_namespaced_config_map(name, self._namespace, **self._limits))
            if obj is None:
                self._held.pop(name, None)
            else:
                self._hold(name, obj)

    def _find(self, get: Callable[[], object]) -> dict[str, Any] | None:
        try:
            return read_object(get())
        except ApiException as error:
            if error.status == 404:  # noqa: PLR2004 -- it went between list and get
                return None
            raise

    def _hold(self, name: str, obj: dict[str, Any]) -> None:
        entry, binary = read_entry(obj), read_mapping(obj, "binaryData")
        fault = next(
            (f"has {key} that is binary: must be a text in UTF-8" for key in (KEY, DIGESTS_KEY) if key in binary), ""
        )
        configmap = ConfigMap(name, entry.labels, read_texts(obj, "data"))
        binary_bytes = sum(len(str(text)) * 3 // 4 for text in binary.values())  # base64 has four for three
        self._held[name] = _Held(entry.version, obj, configmap, fault, binary_bytes)

    def _read_book(self, name: str, naming: Naming, now: datetime) -> RecordBook:
        held = self._held.get(name)
        if held is None:
            todo = "make an empty ConfigMap of that name, as the chart does, or lower --record-configmaps"
            return read_book(ConfigMap(name, {}, {}), naming, now, f"is not in {self._namespace}: {todo}")
        known = self._books.get(name)
        if known and known[0] is held and known[1] == naming:
            return known[2]
        book = read_book(held.configmap, naming, now, held.fault, held.binary_bytes)
        if not book.part.problems and not book.fault:  # a time that was ahead may be past by the next reading
            self._books[name] = (held, naming, book)
        return book

    @contextmanager
    def _acting(self, action: str, needed: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            said = say_failure(error, action, self._api.api_client.configuration.host, needed)
            raise (UnreachableError if isinstance(error, HTTPError | OSError) else StoreError)(said) from error
