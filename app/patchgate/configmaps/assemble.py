"""Joins ConfigMaps into a snapshot: which name counts as what, and what stays in force when one breaks or goes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.configmaps.exceptions import read_exceptions
from patchgate.configmaps.image_list import read_labelled_list, read_main_list, report_mislabelled
from patchgate.configmaps.records import read_records
from patchgate.policy.part import ExceptionsPart, ImageListPart, Part, Problem, RecordsPart
from patchgate.policy.snapshot import Snapshot

_DELETED: Final = "is gone; its last good content stays in force"


class Assembly:
    """A snapshot in the making: the parts of the one before, and what came or changed since.

    A ConfigMap is read as it is taken, so that its text need not be kept.
    """

    def __init__(self, previous: Snapshot | None, names: Names, now: datetime) -> None:
        self._previous = previous
        self._names = names
        self._now = now
        self._parts = dict(previous.parts) if previous else {}
        self.taken: set[str] = set()

    def take(self, configmap: ConfigMap) -> None:
        """Take a ConfigMap that came or changed; one that counts as nothing is passed over."""
        self.taken.add(configmap.name)
        part = _read(configmap, self._parts.get(configmap.name), self._names, self._now)
        if part:
            self._parts[configmap.name] = part
        else:
            self._parts.pop(configmap.name, None)

    def forget(self, name: str) -> None:
        """Forget a ConfigMap that is gone.

        A labelled list goes with its ConfigMap; of any other the last good content stays, and is reported: whoever
        deletes one by mistake must not open the gate, nor shut it.
        """
        _forget(self._parts, name, self._names)

    def build(self) -> Snapshot:
        """Build the snapshot, sharing with the one before what did not change."""
        return Snapshot.build(self._parts.values(), self._previous)


def assemble(
    changed: Iterable[ConfigMap], deleted: Iterable[str], previous: Snapshot | None, names: Names, now: datetime
) -> Snapshot:
    """Give the snapshot after a change. now: aware UTC."""
    assembly = Assembly(previous, names, now)
    for name in deleted:
        assembly.forget(name)
    for configmap in changed:
        assembly.take(configmap)
    return assembly.build()


def _read(configmap: ConfigMap, previous: Part | None, names: Names, now: datetime) -> Part | None:
    if configmap.name == names.image_list:
        return read_main_list(configmap, previous if isinstance(previous, ImageListPart) else None)
    if configmap.name in names.all_records:
        return read_records(configmap, previous if isinstance(previous, RecordsPart) else None, now)
    if configmap.name == names.exceptions:
        return read_exceptions(configmap, previous if isinstance(previous, ExceptionsPart) else None)
    if names.is_mislabelled(configmap):
        return report_mislabelled(configmap, names.label)
    return read_labelled_list(configmap) if names.is_labelled_list(configmap) else None


def _forget(parts: dict[str, Part], name: str, names: Names) -> None:
    part = parts.get(name)
    if part is None:
        return
    if name in (names.image_list, names.exceptions, *names.all_records):
        parts[name] = replace(part, problems=(Problem(name, "", _DELETED),))
    else:
        del parts[name]
