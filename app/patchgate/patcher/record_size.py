"""Fits a record in its size, whatever a registry says: what is dropped first is what loosens nothing. Pure.

A ConfigMap has 1 MiB for the records of all images: one image must not take the room of the others.
"""

import json
import re
from dataclasses import replace
from typing import Final

from patchgate.configmaps.write_records import write_record
from patchgate.limits import RECORD_MESSAGE_CHARACTERS
from patchgate.policy.policy import Policy
from patchgate.policy.record import Record
from patchgate.policy.verdict import show

RECORD_BYTES: Final = 8 * 1024
"""A record as it stands in `records.json`, with its key and its indentation: 110 full ones fit in a ConfigMap, and a
usual one has 1.5 KiB."""
RECORD_PLATFORMS: Final = 16
"""Platforms of a source that its record names: the policy's, and then the first others. An index may have thousands."""
EARLIER_APPROVALS: Final = 8
"""Approvals kept beside the one in force: a rollout goes through one or two."""
_FIRST_KEPT: Final = 12
"""Digests of earlier sources that stay while earlier approvals can be dropped instead."""
MESSAGE_BYTES: Final = 1000
"""A message in JSON, where a character of another script has up to twelve bytes."""
_INDENT: Final = 2
_PLATFORM: Final = re.compile(r"[a-zA-Z0-9._-]{1,32}(?:/[a-zA-Z0-9._-]{1,32}){1,2}")
"""What is a platform's name in a record: an index may name its parts by anything."""


def count_bytes(record: Record) -> int:
    """Count the bytes of a record in `records.json`, as they are written."""
    text = json.dumps({"records": {record.key: write_record(record)}}, indent=_INDENT)
    return len(text) - len(json.dumps({"records": {}}, indent=_INDENT))


def fit_message(text: str) -> str:
    """Make one line of a text, fit to show and in its size."""
    message = show(" ".join(text.split()), RECORD_MESSAGE_CHARACTERS)
    while len(json.dumps(message)) > MESSAGE_BYTES:
        message = show(message, len(message) * 9 // 10)
    return message


def fit_record(record: Record, policy: Policy) -> Record:
    """Give the record with what fits: the policy's platforms first, the newest approvals and sources."""
    record = _fit_platforms(record, policy)
    freshest = sorted(record.earlier, key=lambda approval: approval.verified, reverse=True)
    record = replace(record, earlier=tuple(freshest[:EARLIER_APPROVALS]))
    while count_bytes(record) > RECORD_BYTES:
        smaller = _drop_one(record, policy)
        if smaller is None:
            return record
        record = smaller
    return record


def _fit_platforms(record: Record, policy: Policy) -> Record:
    """Keep the platforms of the policy, those in which findings count, and the first others that have a proper name."""
    wanted = [each for each in _list_wanted(record, policy) if each in record.source_platforms]
    others = filter(_PLATFORM.fullmatch, record.source_platforms)
    names = list(dict.fromkeys((*wanted, *others)))[:RECORD_PLATFORMS]
    left_out = record.platforms_left_out + len(record.source_platforms) - len(names)
    kept = {name: record.source_platforms[name] for name in names}
    return replace(record, source_platforms=kept, platforms_left_out=left_out)


def _drop_one(record: Record, policy: Policy) -> Record | None:
    """Drop what is missed least; None where nothing is left to drop."""
    others = [each for each in record.source_platforms if each not in _list_wanted(record, policy)]
    if others:
        kept = {name: digest for name, digest in record.source_platforms.items() if name != others[-1]}
        return replace(record, source_platforms=kept, platforms_left_out=record.platforms_left_out + 1)
    if len(record.earlier_sources) > _FIRST_KEPT or (record.earlier_sources and not record.earlier):
        first, *rest = record.earlier_sources
        clocks = {digest: clock for digest, clock in record.earlier_clocks.items() if digest != first}
        return replace(record, earlier_sources=tuple(rest), earlier_clocks=clocks)
    if record.earlier:
        return replace(record, earlier=record.earlier[:-1])
    return replace(record, unverified=None) if record.unverified else None


def _list_wanted(record: Record, policy: Policy) -> tuple[str, ...]:
    return (*policy.platforms, *(record.vulnerable_platforms or ()))
