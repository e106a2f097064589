"""Which ConfigMap a record goes to, and what is written there. Pure: the same for a directory and for a cluster.

A store reads every book there is (one a ConfigMap), asks for an edit, and writes it if nothing came between; else it
reads anew and asks again. A record stays where it is; a new one goes to the first book that has room. Where its record
may stand in what cannot be read, nothing is written: a record begun anew would forget approvals and the SLA's clock.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchgate.configmaps.record_book import RecordBook, count_bytes, write_book
from patchgate.errors import StoreError
from patchgate.limits import CONFIGMAP_BYTES, RECORDS_BYTES, UNLISTED_RECORD_DAYS
from patchgate.patcher.shard import Shard
from patchgate.patcher.store import Change
from patchgate.policy.part import ImageListPart, Problem
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot

_ALL: Final = Shard()
_KEPT: Final = timedelta(days=UNLISTED_RECORD_DAYS)


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be written.

    Attributes:
        name: the ConfigMap.
        data: key → text; other keys of the ConfigMap stay.
    """

    name: str
    data: Mapping[str, str]


def edit_record(books: Sequence[RecordBook], key: str, change: Change) -> tuple[Record, Edit]:
    """Change one record.

    books: every one that may be written, in the order of their names; one that is still to be made is empty.

    Raises:
        StoreError: there is no room, or what is known of the image cannot be read.
    """
    book = _find_book(books, key)
    record = change(find_record(books, key))
    if record.key != key:
        raise ValueError(f"the record of {key} became one of {record.key}")
    data = write_book(book, [record], keys_elsewhere=list_keys(books, book))
    return record, fit(book, data)


def fit(book: RecordBook, data: Mapping[str, str]) -> Edit:
    """Give the edit that writes this data.

    Raises:
        StoreError: the ConfigMap has no room for it, beside what others keep there.
    """
    if book.other_bytes + count_bytes(data) > CONFIGMAP_BYTES:
        raise StoreError(f"{book.name} is full, {CONFIGMAP_BYTES} bytes: take images off the list, or split it")
    return Edit(book.name, data)


def find_record(books: Sequence[RecordBook], key: str) -> Record | None:
    """Find an image's record: the newest of all books; where none has one, what `digests.txt` says of it."""
    records = [book.part.records[key] for book in books if key in book.part.records]
    lines = [book.part.approvals[key] for book in books if key in book.part.approvals]
    return max(records or lines, key=lambda record: record.updated, default=None)


def edit_after_run(
    books: Sequence[RecordBook], snapshot: Snapshot, now: datetime, *, may_drop: bool, shard: Shard = _ALL
) -> list[Edit]:
    """Note in the first book that a run ended; drop what no list names any more, thirty days after its last write.

    may_drop: whether every list could be read (`knows_every_list`).
    shard: whose records may be dropped.

    Raises:
        StoreError: no book can be written.
    """
    first = next((book for book in books if not book.fault), None)
    if first is None:
        raise StoreError(f"{books[0].name} {books[0].fault}" if books else "there is no ConfigMap of records")
    last_run = max(filter(None, (now, snapshot.last_run)))
    edits = []
    for book in books:
        dropped = (
            {each for each in _list_unlisted(book, snapshot, now) if shard.owns(each.rpartition(":")[0])}
            if may_drop
            else set()
        )
        if dropped or book is first:
            keys = list_keys(books, book)
            run = last_run if book is first else None
            edits.append(Edit(book.name, write_book(book, [], dropped=dropped, keys_elsewhere=keys, last_run=run)))
    return edits


def knows_every_list(snapshot: Snapshot, source_problems: Sequence[Problem]) -> bool:
    """Tell whether every image list was read whole: a line that nobody could read may name any image."""
    lists = [part for part in snapshot.parts.values() if isinstance(part, ImageListPart)]
    return snapshot.images > 0 and not source_problems and not any(part.problems for part in lists)


def list_keys(books: Sequence[RecordBook], but: RecordBook) -> Collection[str]:
    """List the canonical keys that have a record in another book."""
    return {key for book in books if book is not but for key in book.keys}


def _find_book(books: Sequence[RecordBook], key: str) -> RecordBook:
    holders = [book for book in books if key in book.part.records]
    if holders:
        return max(holders, key=lambda book: book.part.records[key].updated)
    for book in books:
        if reason := book.bad_records.get(key):
            raise StoreError(f"its record in {book.name} cannot be read: {reason}; mend it or delete it")
    for book in books:
        if book.fault:
            raise StoreError(f"its record may be in {book.name}, which {book.fault}")
    free = next((book for book in books if book.size_bytes < RECORDS_BYTES), None)
    if free is None:
        raise StoreError(
            f"all {len(books)} ConfigMaps of records are full: raise --record-configmaps here and in the gate"
        )
    return free


def _list_unlisted(book: RecordBook, snapshot: Snapshot, now: datetime) -> Iterator[str]:
    for key, record in book.part.records.items():
        repository = snapshot.repositories.get(record.repository)
        is_listed = repository is not None and repository.find_line(record.tag) is not None
        is_fresh = any(each.is_fresh(now, snapshot.policy.stale_after) for each in record.approvals)
        if not is_listed and not is_fresh and now - record.updated > _KEPT:
            yield key
