"""What becomes of the ConfigMaps of records, and which of them a record goes to. Pure: on a directory and in a cluster.

A store reads every book there is (one a ConfigMap) and takes steps: each makes the books of those before. Then it
writes those that changed, once each, if nothing came between; else it reads anew and takes the steps again. A record
stays where it is; a new one goes to the first book that has room. Where its record may stand in what cannot be read,
nothing is written: a record begun anew would forget approvals and the SLA's clock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from patchgate.configmaps.edit_book import drop_records, note_lines, note_run, put_record, write_book
from patchgate.configmaps.record_book import RecordBook, count_bytes
from patchgate.errors import FullError, StoreError
from patchgate.limits import CONFIGMAP_BYTES, RECORDS_BYTES, UNLISTED_RECORD_DAYS
from patchgate.patcher.shard import Shard
from patchgate.patcher.store import Change
from patchgate.policy.part import ImageListPart, LineNote, Problem
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot

T = TypeVar("T")
Books = tuple[RecordBook, ...]
"""Every book that may be written, in the order of their names; one that is still to be made is empty."""
Step = Callable[[Books], tuple[Books, T]]
"""Makes other books of these, and an answer. Taken again where another writer came between."""

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


def change_record(books: Books, key: str, change: Change) -> tuple[Books, Record]:
    """Change one record; give the one that stands then.

    Raises:
        StoreError: there is no room, or what is known of the image cannot be read.
    """
    book = _find_book(books, key)
    record = change(_find_record(books, key))
    if record.key != key:
        raise ValueError(f"the record of {key} became one of {record.key}")
    return put_book(books, put_record(book, record)), record


def end_run(
    books: Books, snapshot: Snapshot, now: datetime, *, may_drop: bool, shard: Shard = _ALL
) -> tuple[Books, None]:
    """Note in the first book that a run ended; drop what no list names any more, thirty days after its last write.

    may_drop: whether every list could be read (`knows_every_list`).
    shard: whose records may be dropped.

    Raises:
        StoreError: no book can be written.
    """
    first = _find_first(books)
    books = put_book(books, note_run(first, max(filter(None, (now, snapshot.last_run)))))
    for book in books if may_drop else ():
        dropped = {key for key in _list_unlisted(book, snapshot, now) if shard.owns(key.rpartition(":")[0])}
        if dropped and not book.fault:
            books = put_book(books, drop_records(book, dropped))
    return books, None


def put_notes(books: Books, notes: Mapping[str, LineNote], shard: Shard = _ALL) -> tuple[Books, None]:
    """Put what was noted of this shard's lines in the first book, in the place of what was noted of them before.

    Raises:
        StoreError: no book can be written.
    """
    first = _find_first(books)
    for book in books:
        others = {line: note for line, note in book.part.notes.items() if not shard.owns(line.rpartition(":")[0])}
        after = others | (dict(notes) if book is first else {})
        if not book.fault and after != book.part.notes:
            books = put_book(books, note_lines(book, after))
    return books, None


def knows_every_list(snapshot: Snapshot, source_problems: Sequence[Problem]) -> bool:
    """Tell whether every image list was read whole: a line that nobody could read may name any image."""
    lists = [part for part in snapshot.parts.values() if isinstance(part, ImageListPart)]
    return snapshot.images > 0 and not source_problems and not any(part.problems for part in lists)


def put_book(books: Books, book: RecordBook) -> Books:
    """Put a book in the place of the one of its name."""
    return tuple(book if each.name == book.name else each for each in books)


def find_changed(before: Books, after: Books) -> frozenset[str]:
    """Find the names of the books that are others than before."""
    return frozenset(new.name for old, new in zip(before, after, strict=True) if new is not old)


def write_changed(before: Books, book: RecordBook) -> Edit:
    """Write a book that changed.

    before: all of them as they were read. Only what stands in another one there takes a line of `digests.txt` from this
        one: a record that is still to be written there may never be.

    Raises:
        FullError: the ConfigMap has no room for it, beside what others keep there.
    """
    keys_elsewhere = {key for each in before if each.name != book.name for key in each.keys}
    data = write_book(book, keys_elsewhere)
    size_bytes = book.other_bytes + count_bytes(data)
    standing_bytes = next(each.size_bytes for each in before if each.name == book.name)
    if size_bytes > max(CONFIGMAP_BYTES, standing_bytes):  # what is too large already may shrink
        raise FullError(f"{book.name} is full, {CONFIGMAP_BYTES} bytes: take images off the list, or split it")
    return Edit(book.name, data)


def _find_first(books: Books) -> RecordBook:
    """Find the first book that can be written; StoreError where none can."""
    first = next((book for book in books if not book.fault), None)
    if first is None:
        raise StoreError(f"{books[0].name} {books[0].fault}" if books else "there is no ConfigMap of records")
    return first


def _find_record(books: Books, key: str) -> Record | None:
    """Find an image's record: the newest of all books; where none has one, what `digests.txt` says of it."""
    records = [book.part.records[key] for book in books if key in book.part.records]
    lines = [book.part.approvals[key] for book in books if key in book.part.approvals]
    return max(records or lines, key=lambda record: record.updated, default=None)


def _find_book(books: Books, key: str) -> RecordBook:
    holders = [book for book in books if key in book.part.records]
    if holders:
        holder = max(holders, key=lambda book: book.part.records[key].updated)
        if holder.fault:
            raise StoreError(f"its record is in {holder.name}, which {holder.fault}")
        return holder
    for book in books:
        if reason := book.bad_records.get(key):
            raise StoreError(f"its record in {book.name} cannot be read: {reason}; mend it or delete it")
    for book in books:
        if book.fault:
            raise StoreError(f"its record may be in {book.name}, which {book.fault}")
    free = next((book for book in books if book.size_bytes < RECORDS_BYTES), None)
    if free is None:
        raise FullError(
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
