"""A store that works, in memory: every record goes through the ConfigMap's own format and back."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.configmaps.write_records import write_records
from patchgate.errors import HeldError, StoreError
from patchgate.patcher.store import Change
from patchgate.policy.part import LineNote, RecordsPart
from patchgate.policy.record import Record
from patchgate.policy.snapshot import Snapshot
from tests.world import NAMES, NOW, snapshot


@dataclass
class StoreSimulator:
    """Keeps lists and records.

    Attributes:
        configmaps: the lists.
        records: key → record.
        clock: gives now.
        last_run: when a run last ended.
        failures: key → why its record cannot be written.
        writes: keys of the records that were written, in order.
    """

    configmaps: tuple[ConfigMap, ...]
    clock: Callable[[], datetime] = lambda: NOW
    records: dict[str, Record] = field(default_factory=dict)
    last_run: datetime | None = None
    notes: dict[str, LineNote] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    held: dict[str, threading.Lock] = field(default_factory=dict)

    def load(self) -> Snapshot:
        with self.lock:
            part = RecordsPart(
                NAMES.records, dict(self.records), {}, len(self.writes), self.last_run, (), dict(self.notes)
            )
        world = snapshot(*self.configmaps, ConfigMap(NAMES.records, {}, write_records(part)), now=self.clock())
        assert not [problem for problem in world.list_problems(NOW) if problem.configmap == NAMES.records]
        return world

    def change_record(self, key: str, change: Change) -> Record:
        with self.lock:
            changed = change(self.records.get(key))
            if key in self.failures:
                raise StoreError(self.failures[key])
            self.records[key] = changed
            self.writes.append(key)
            return changed

    @contextmanager
    def hold_tag(self, reference: str, limit_seconds: float) -> Iterator[None]:
        with self.lock:
            lock = self.held.setdefault(reference, threading.Lock())
        if not lock.acquire(timeout=limit_seconds):
            raise HeldError(f"another patcher holds {reference}")
        try:
            yield
        finally:
            lock.release()

    def note_lines(self, notes: Mapping[str, LineNote]) -> None:
        self.notes = dict(notes)

    def finish_run(self, now: datetime) -> None:
        if "" in self.failures:
            raise StoreError(self.failures[""])
        self.last_run = now


@dataclass
class ReadingStore(StoreSimulator):
    """A store whose records are read back by its clock, as those of a directory and of a cluster are."""

    def load(self) -> Snapshot:
        with self.lock:
            return snapshot(*self.configmaps, self.write(), now=self.clock())

    def write(self) -> ConfigMap:
        part = RecordsPart(NAMES.records, dict(self.records), {}, len(self.writes), self.last_run, (), dict(self.notes))
        return ConfigMap(NAMES.records, {}, write_records(part))

    def change_record(self, key: str, change: Change) -> Record:
        with self.lock:
            self.records = dict(read_records(self.write(), None, self.clock()).records)
            return super().change_record(key, change)
