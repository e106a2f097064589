"""The store in a cluster: the same Store as on a directory, with resourceVersion in the place of a lock.

Read, merge and write, and again where somebody else wrote meanwhile: patchers, shards and people may write the same
ConfigMaps at any time, and no write is lost. What is written was decided by `record_books`, as on a directory.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from kubernetes.client import CoreV1Api

from patchgate.cluster.again import ask_until_done
from patchgate.cluster.pace import Pace
from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.claims import Claim
from patchgate.configmaps.configmap import Names
from patchgate.configmaps.record_book import RecordBook, count_bytes
from patchgate.errors import SourceError, StoreError
from patchgate.limits import RECORD_WRITE_SECONDS
from patchgate.patcher.claims import claim_tag, release_tag
from patchgate.patcher.cluster.hold import ClaimPace, hold
from patchgate.patcher.cluster.record_configmaps import READ_RIGHTS, RecordConfigMaps
from patchgate.patcher.cluster.write_budget import WriteBudget
from patchgate.patcher.policy_check import refuse_wrong_policy
from patchgate.patcher.record_books import Books, Edit, Step, change_record, end_run, knows_every_list, put_notes
from patchgate.patcher.shard import Shard
from patchgate.patcher.store import Change
from patchgate.patcher.write_together import Writer
from patchgate.policy.part import LineNote, Problem
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.cluster.source import read_cluster_once

T = TypeVar("T")
_ALL: Final = Shard()


@dataclass(frozen=True, slots=True)
class StorePace:
    """How long and how often kube-apiserver is asked; each limit is explained in `limits.py`."""

    requests: Pace = field(default_factory=Pace)
    claims: ClaimPace = field(default_factory=ClaimPace)
    limit_seconds: float = RECORD_WRITE_SECONDS


_PACE: Final = StorePace()


class ClusterStore:
    """`store.Store` on a namespace. For any number of threads, Pods and people at once."""

    def __init__(  # noqa: PLR0913, PLR0917 -- what it is made of
        self,
        api: CoreV1Api,
        namespace: str,
        names: Names,
        clock: Callable[[], datetime],
        shard: Shard = _ALL,
        pace: StorePace = _PACE,
        budget: WriteBudget | None = None,
    ) -> None:
        self._api = api
        self._namespace = namespace
        self._names = names
        self._clock = clock
        self._shard = shard
        self._pace = pace
        self._configmaps = RecordConfigMaps(api, namespace, names, pace.requests)
        self._lock = threading.Lock()  # of what is remembered
        self._budget = budget or WriteBudget()
        self._writer = Writer(self._read_books, self._write, lambda: self._lock, self._budget.wait)

    def load(self) -> Snapshot:
        """Load list, policy and records.

        Raises:
            SourceError: they cannot be read, there is no image list or no ConfigMap for records, or a value of the
                policy is wrong.
        """
        snapshot, problems = self._read()
        main = snapshot.parts.get(self._names.image_list)
        if main is None:
            raise SourceError(f"no ConfigMap {self._names.image_list} in {self._namespace}: make one")
        refuse_wrong_policy(self._names.image_list, (*main.problems, *problems))
        try:
            books = self._ask(self._look_at_books)
        except StoreError as error:
            raise SourceError(str(error)) from error
        if not self._configmaps.is_any_there:
            raise SourceError(f"{books[0].name} {books[0].fault}")
        for book in books:
            if book.fault and book.name in snapshot.parts:
                raise SourceError(f"{book.name} {book.fault}")
        return snapshot

    def change_record(self, key: str, change: Change) -> Record:
        """Read, change and write one record; give the one that stands then.

        Raises:
            StoreError: it cannot be written: no room, no right, nobody there.
        """
        return self._take(lambda books: change_record(books, key, change))

    def hold_tag(self, reference: str, limit_seconds: float) -> AbstractContextManager[None]:
        """Keep every other run on these ConfigMaps from giving this `REPO:TAG` a meaning while the block lasts.

        Entering raises HeldError where another one does not let go within the limit, StoreError where none can be held.
        """
        return hold(self, reference, limit_seconds, self._pace.claims)

    def note_lines(self, notes: Mapping[str, LineNote]) -> None:
        """Note what came of lines with a `*`, in the place of what was noted of this shard's before.

        Raises:
            StoreError: it cannot be written.
        """
        self._take(lambda books: put_notes(books, notes, self._shard))

    def finish_run(self, now: datetime) -> None:
        """Note that a run ended, and let go of records of this shard that no list has named for thirty days.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            snapshot, problems = self._read()
        except SourceError as error:
            raise StoreError(str(error)) from error
        may_drop = knows_every_list(snapshot, problems)
        self._take(lambda books: end_run(books, snapshot, now, may_drop=may_drop, shard=self._shard))

    def claim(self, reference: str, holder: str, seconds: float, over: Claim | None) -> Claim | None:
        """Claim a tag or renew the claim, unless another one than `over` holds it; give what is in the way.

        Raises:
            StoreError: it cannot be read or written.
        """

        def step(books: Books) -> tuple[Books, Claim | None]:
            now = self._clock()
            expires = (now + timedelta(seconds=seconds)).replace(microsecond=0)
            return claim_tag(books, reference, Claim(holder, expires), over, now)

        return self._take(step)

    def release(self, reference: str, holder: str) -> None:
        """Let go of a tag, where it is this holder's still.

        Raises:
            StoreError: it cannot be read or written.
        """
        self._take(lambda books: release_tag(books, reference, holder))

    def _look_at_books(self) -> list[RecordBook]:
        with self._lock:
            return self._read_books()

    def _take(self, step: Step[T]) -> T:
        """Take a step, and again where that helps: each caller waits for itself, and nobody waits for that."""
        return self._ask(lambda: self._writer.take(step))

    def _read_books(self) -> list[RecordBook]:
        """Read them, with the lock held."""
        return self._configmaps.read(self._clock())

    def _write(self, edit: Edit) -> None:
        """Write a book, with the lock held."""
        self._configmaps.write(edit)
        self._budget.spend(count_bytes(edit.data))

    def _read(self) -> tuple[Snapshot, tuple[Problem, ...]]:
        """Read everything, good or bad, with what could not be read."""

        def read() -> tuple[Snapshot, tuple[Problem, ...]]:
            assembly = Assembly(None, self._names, self._clock())
            requests = self._pace.requests
            reading = read_cluster_once(
                self._api, self._namespace, self._names.concern, assembly.take, requests, READ_RIGHTS
            )
            return assembly.build(), reading.problems

        return self._ask(read)

    def _ask(self, ask: Callable[[], T]) -> T:
        return ask_until_done(ask, self._pace.limit_seconds, self._pace.requests)
