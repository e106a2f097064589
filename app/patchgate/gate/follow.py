"""Follows the source: reads what changed in a thread, puts the new snapshot in force on the event loop.

Whatever goes wrong leaves the last good snapshot in force; it is counted, logged, and tried again.
"""

import asyncio
import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from patchgate.configmaps.assemble import Assembly
from patchgate.configmaps.configmap import Names
from patchgate.errors import SourceError
from patchgate.gate.announce import Announcer
from patchgate.gate.reading_thread import start_in_thread
from patchgate.gate.standing import Standing
from patchgate.limits import READING_SECONDS, RETRY_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.sources.source import Reading, Source

_WHOLE: Final = "source"
_HANGS: Final = f"is being read for more than {READING_SECONDS} s: does what it is on still answer?"
_Read = tuple[Reading, Snapshot | None]


@dataclass(slots=True)
class Follower:
    """Keeps a standing in step with a source.

    Attributes:
        source: where ConfigMaps come from.
        names: under which they count.
        standing: what is kept in step.
        clock: gives now, aware UTC.
        metrics: counts snapshots and errors.
        log: told of problems as they come and go.
        announcer: told of the problems that there are, where people can be told.
    """

    source: Source
    names: Names
    standing: Standing
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    announcer: Announcer | None = None
    _names_read: frozenset[str] = frozenset()
    _said: frozenset[Problem] = frozenset()
    _retried_at: datetime | None = None

    async def run(self) -> None:
        """Follow the source for ever: read it now, and after every change."""
        await self._look_safely()
        async for _ in self.source.changes():
            await self._look_safely()

    async def _look_safely(self) -> None:
        """Look, and live on whatever comes of it."""
        try:
            await self.look()
        except Exception:
            self.metrics.errors.labels("source").inc()
            self.log.exception("a defect of patchgate", where="source")

    async def look(self) -> None:
        """Read the source once, and put in force what it now holds."""
        now = self.clock()
        assembly = Assembly(self.standing.snapshot, self.names, now)
        try:
            reading, snapshot = await self._wait_for(start_in_thread(lambda: self._read(assembly, now)))
        except SourceError as error:
            self.metrics.errors.labels("source").inc()
            self._note_gone(error)
        except Exception:
            self.source.forget(assembly.taken)
            self.metrics.errors.labels("source").inc()
            self.log.exception("the source could not be taken in; the last good data stays in force")
        else:
            self._put_in_force(reading, snapshot, now)
        self.standing.count_bad_entries(now)
        self._say_problems(now)

    async def _wait_for(self, reading: asyncio.Future[_Read]) -> _Read:
        """Wait for a reading however long it takes; no other begins meanwhile. Say it where that is too long."""
        try:
            while not (await asyncio.wait([reading], timeout=READING_SECONDS))[0]:
                self.metrics.errors.labels("source").inc()
                self._note_gone(SourceError(_HANGS))
                self.standing.count_bad_entries(self.clock())
                self._say_problems(self.clock())
            return reading.result()
        finally:
            reading.cancel()

    def _read(self, assembly: Assembly, now: datetime) -> _Read:
        """Read the source into the assembly (in a thread); no snapshot where nothing has changed."""
        self._forget_bad_ones(now)
        reading = self.source.read(assembly.take)
        deleted = self._names_read - reading.names
        for name in deleted:
            assembly.forget(name)
        if self.standing.snapshot and not assembly.taken and not deleted:
            return reading, None
        snapshot = assembly.build()
        gc.collect(1)  # what is young and a cycle goes now, or it would stay for ever
        gc.freeze()  # nothing of it is a cycle: the collector need not walk through it again and again
        return reading, snapshot

    def _forget_bad_ones(self, now: datetime) -> None:
        """Have ConfigMaps with problems read again every RETRY_SECONDS: what is ahead of a wrong clock heals so."""
        if self._retried_at and abs(now - self._retried_at) < timedelta(seconds=RETRY_SECONDS):
            return
        self._retried_at = now
        parts = self.standing.snapshot.parts if self.standing.snapshot else {}
        self.source.forget(name for name, part in parts.items() if part.problems)

    def _put_in_force(self, reading: Reading, snapshot: Snapshot | None, now: datetime) -> None:
        self._names_read = reading.names
        self.standing.source_problems = reading.problems
        self.standing.read_at = now
        if snapshot:
            self.standing.snapshot = snapshot
            self.metrics.snapshots.inc()

    def _note_gone(self, error: SourceError) -> None:
        """Note that the whole source cannot be read; what it could not read before, it cannot now."""
        gone = Problem(_WHOLE, "", f"{error}; the last good data stays in force")
        before = (problem for problem in self.standing.source_problems if problem.configmap != _WHOLE)
        self.standing.source_problems = (gone, *before)

    def _list_missing(self) -> Iterator[Problem]:
        """List the main list where it has never been read: nothing is decided then, which every door says."""
        if self.standing.snapshot and not self.standing.snapshot.is_complete:
            yield Problem(self.names.image_list, "", "is not there: nothing is decided until it is")

    def _say_problems(self, now: datetime) -> None:
        """Log each problem once, when it comes and when its place counts again."""
        standing = self.standing
        snapshot_problems = standing.snapshot.list_problems(now) if standing.snapshot else ()
        in_order = (*standing.source_problems, *snapshot_problems)
        if self.announcer:
            self.announcer.note(in_order, self._names_read.union(standing.snapshot.parts if standing.snapshot else ()))
        problems = frozenset((*in_order, *self._list_missing()))
        for problem in sorted(problems - self._said, key=str):
            self.log.warning(
                "data does not count", configmap=problem.configmap, place=problem.place, why=problem.reason
            )
        for configmap, place in sorted(_list_places(self._said) - _list_places(problems)):
            self.log.info("data counts again", configmap=configmap, place=place)
        self._said = problems


def _list_places(problems: Iterable[Problem]) -> set[tuple[str, str]]:
    return {(problem.configmap, problem.place) for problem in problems}
