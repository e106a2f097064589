"""Changes a ConfigMap of records, and writes what has come of it: all else stays as somebody wrote it. Pure.

A change makes another book, so that one can be made of the other before anything is written. `digests.txt` is in step
with the records; a line of an image that has no record that can be read stays.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from patchgate.configmaps.digests import write_digests
from patchgate.configmaps.fields import say_time
from patchgate.configmaps.line_notes import write_notes
from patchgate.configmaps.record_book import RecordBook
from patchgate.configmaps.records import DIGESTS_KEY, KEY
from patchgate.configmaps.write_records import OPTIONAL, write_record
from patchgate.limits import GENERATION, RECORDS_SCHEMA
from patchgate.policy.part import LineNote
from patchgate.policy.record import Record


def put_record(book: RecordBook, record: Record) -> RecordBook:
    """Put a record in the place of its image's; what stands there beside the fields that we know stays."""
    key = record.key
    entry = _list_other_fields(book, key) | write_record(record)
    others = _drop_entries(book, {key})
    grown_bytes = _count_entry(entry, record) - _count_standing(book, key)
    return replace(
        book,
        part=replace(book.part, records={**book.part.records, key: record}),
        size_bytes=book.size_bytes + grown_bytes,
        entries={**others, key: entry},
        names={**book.names, key: key},
    )


def drop_records(book: RecordBook, keys: Collection[str]) -> RecordBook:
    """Drop what is known of these images, by canonical key: records, and lines of `digests.txt`."""
    part = book.part
    return replace(
        book,
        part=replace(part, records=_leave_out(part.records, keys), approvals=_leave_out(part.approvals, keys)),
        entries=_drop_entries(book, keys),
        lines=tuple((line, name) for line, name in book.lines if name not in keys or _is_comment(line)),
    )


def note_run(book: RecordBook, ended: datetime) -> RecordBook:
    """Note when the patcher last ran; aware UTC."""
    return replace(book, part=replace(book.part, last_run=ended))


def note_lines(book: RecordBook, notes: Mapping[str, LineNote]) -> RecordBook:
    """Put these notes of lines in the place of all others."""
    return replace(book, part=replace(book.part, notes=notes))


def write_book(book: RecordBook, keys_elsewhere: Collection[str]) -> dict[str, str]:
    """Write the data; `generation` grows by one.

    keys_elsewhere: canonical keys that have a record in another ConfigMap.
    """
    content = {
        "schema": RECORDS_SCHEMA,
        "generation": min(book.part.generation + 1, GENERATION),
        "last_run": say_time(book.part.last_run),
        **write_notes(book.part.notes),
        **book.other_fields,
        "records": dict(sorted(book.entries.items())),
    }
    return {
        DIGESTS_KEY: _write_lines(book, {*book.part.records, *keys_elsewhere}),
        KEY: msgspec.json.format(json.dumps(content)) + "\n",  # in C, and in ASCII: YAML has other line breaks
    }


def _drop_entries(book: RecordBook, keys: Collection[str]) -> dict[str, Any]:
    return {text: entry for text, entry in book.entries.items() if book.names.get(text) not in keys}


def _leave_out(records: Mapping[str, Record], keys: Collection[str]) -> dict[str, Record]:
    return {key: record for key, record in records.items() if key not in keys}


def _list_other_fields(book: RecordBook, key: str) -> dict[str, Any]:
    """List what stands under a canonical key, for the fields of it that we do not know."""
    entries = (entry for text, entry in book.entries.items() if book.names.get(text) == key)
    found: dict[str, Any] = next((entry for entry in entries if isinstance(entry, dict)), {})
    return {name: value for name, value in found.items() if name not in OPTIONAL}


def _count_standing(book: RecordBook, key: str) -> int:
    record = book.part.records.get(key)
    return sum(_count_entry(entry, record) for text, entry in book.entries.items() if book.names.get(text) == key)


def _count_entry(entry: object, record: Record | None) -> int:
    """Count about as many bytes as an entry takes, with its lines of `digests.txt`."""
    return len(json.dumps(entry, indent=4)) + len(write_digests([record] if record else []))


def _write_lines(book: RecordBook, recorded: Collection[str]) -> str:
    """Write people's comments first, then a line an approval, then the lines of images without a record."""
    comments = [line for line, _ in book.lines if _is_comment(line)]
    others = [line for line, name in book.lines if name not in recorded and line.strip() and line not in comments]
    ours = write_digests(record for _, record in sorted(book.part.records.items()))
    return "".join(f"{line}\n" for line in comments) + ours + "".join(f"{line}\n" for line in others)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
