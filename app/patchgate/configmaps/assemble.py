"""Joins ConfigMaps into a snapshot: which name counts as what, and what stays in force when one breaks or goes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.configmaps.exceptions import read_exceptions
from patchgate.configmaps.image_list import read_labelled_list, read_main_list
from patchgate.configmaps.records import read_records
from patchgate.policy.part import ExceptionsPart, ImageListPart, Part, Problem, RecordsPart
from patchgate.policy.snapshot import Snapshot

_DELETED: Final = "is gone; its last good content stays in force"


def assemble(
    changed: Iterable[ConfigMap], deleted: Iterable[str], previous: Snapshot | None, names: Names, now: datetime
) -> Snapshot:
    """Give the snapshot after a change; only what changed is read again.

    changed: ConfigMaps that came or changed; at the start all of them. Those that count as nothing are passed over.
    deleted: names of ConfigMaps that are gone. A labelled list goes with its ConfigMap; of any other the last good
        content stays, and is reported: whoever deletes one by mistake must not open the gate, nor shut it.
    now: aware UTC.
    """
    parts = dict(previous.parts) if previous else {}
    for name in deleted:
        _forget(parts, name, names)
    for configmap in changed:
        part = _read(configmap, parts.get(configmap.name), names, now)
        if part:
            parts[configmap.name] = part
        else:
            parts.pop(configmap.name, None)
    return Snapshot.build(parts.values(), previous)


def _read(configmap: ConfigMap, previous: Part | None, names: Names, now: datetime) -> Part | None:
    if configmap.name == names.image_list:
        return read_main_list(configmap, previous if isinstance(previous, ImageListPart) else None)
    if configmap.name in names.all_records:
        return read_records(configmap, previous if isinstance(previous, RecordsPart) else None, now)
    if configmap.name == names.exceptions:
        return read_exceptions(configmap, previous if isinstance(previous, ExceptionsPart) else None)
    return read_labelled_list(configmap) if names.is_labelled_list(configmap) else None


def _forget(parts: dict[str, Part], name: str, names: Names) -> None:
    part = parts.get(name)
    if part is None:
        return
    if name in (names.image_list, names.exceptions, *names.all_records):
        parts[name] = replace(part, problems=(Problem(name, "", _DELETED),))
    else:
        del parts[name]
