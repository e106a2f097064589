"""The store on a directory of YAML files: read, merge and write under the directory's lock (flock).

Only the file that holds the ConfigMap concerned is written, and only two keys of its data. The gate may read the
directory at any instant; a patcher killed at any instant leaves what was there before, or what is there after.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Final

from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.configmap import Names
from patchgate.configmaps.record_book import RecordBook
from patchgate.errors import SourceError, StoreError
from patchgate.limits import RECORDS_LOCK_SECONDS
from patchgate.patcher.file_lock import lock_directory, lock_name
from patchgate.patcher.policy_check import refuse_wrong_policy
from patchgate.patcher.record_books import Books, change_record, end_run, knows_every_list, put_notes
from patchgate.patcher.record_files import RecordFiles
from patchgate.patcher.shard import Shard
from patchgate.patcher.store import Change
from patchgate.patcher.write_together import Writer
from patchgate.policy.part import LineNote, Problem
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.directory import DirectorySource

_ALL: Final = Shard()
_LOCKS: Final = ".patchgate"


class DirectoryStore:
    """`store.Store` on a directory. For any number of threads and processes of one machine."""

    def __init__(self, directory: Path, names: Names, clock: Callable[[], datetime], shard: Shard = _ALL) -> None:
        self._directory = directory
        self._names = names
        self._clock = clock
        self._shard = shard
        self._files = RecordFiles(directory, names)
        self._writer = Writer(lambda: self._files.read(clock()), self._files.write, self._lock)

    def load(self) -> Snapshot:
        """Load list, policy and records.

        Raises:
            SourceError: they cannot be read, there is no image list, or a value of the policy is wrong.
        """
        snapshot, problems = self.read()
        main = snapshot.parts.get(self._names.image_list)
        if main is None:
            raise SourceError(f"{self._directory} holds no ConfigMap {self._names.image_list}: write one")
        refuse_wrong_policy(self._names.image_list, (*main.problems, *problems))
        for book in self._read_books():
            if book.fault and book.name in snapshot.parts:
                raise SourceError(f"{book.name} {book.fault}")
        return snapshot

    def read(self) -> tuple[Snapshot, tuple[Problem, ...]]:
        """Read everything, good or bad, with what could not be read.

        Raises:
            SourceError: the directory cannot be listed.
        """
        assembly = Assembly(None, self._names, self._clock())
        reading = DirectorySource(self._directory).read(assembly.take)
        return assembly.build(), reading.problems

    def change_record(self, key: str, change: Change) -> Record:
        """Read, change and write one record; give the one that stands then.

        Raises:
            StoreError: it cannot be written: no room, no right, or what stands there cannot be read.
        """
        return self._writer.take(lambda books: change_record(books, key, change))

    def hold_tag(self, reference: str, limit_seconds: float) -> AbstractContextManager[None]:
        """Keep every other run on this directory from giving this `REPO:TAG` a meaning while the block lasts.

        Entering raises HeldError where another one does not let go within the limit.
        """
        return lock_name(self._directory / _LOCKS, reference, limit_seconds)

    def note_lines(self, notes: Mapping[str, LineNote]) -> None:
        """Note what came of lines with a `*`, in the place of what was noted of this shard's before.

        Raises:
            StoreError: it cannot be written.
        """
        self._writer.take(lambda books: put_notes(books, notes, self._shard))

    def finish_run(self, now: datetime) -> None:
        """Note that a run ended, and let go of records that no list has named for thirty days.

        Raises:
            StoreError: it cannot be written.
        """

        def end(books: Books) -> tuple[Books, None]:
            snapshot, problems = self._read_again()
            may_drop = knows_every_list(snapshot, problems)
            return end_run(books, snapshot, now, may_drop=may_drop, shard=self._shard)

        self._writer.take(end)

    def _lock(self) -> AbstractContextManager[None]:
        return lock_directory(self._directory, RECORDS_LOCK_SECONDS)

    def _read_books(self) -> list[RecordBook]:
        try:
            with lock_directory(self._directory, RECORDS_LOCK_SECONDS):
                return self._files.read(self._clock())
        except StoreError as error:
            raise SourceError(str(error)) from error

    def _read_again(self) -> tuple[Snapshot, tuple[Problem, ...]]:
        try:
            return self.read()
        except SourceError as error:
            raise StoreError(str(error)) from error
