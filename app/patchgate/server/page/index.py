"""The page's index of a snapshot: its images in each order that people ask for, so that a page costs only its rows.

What depends on the time is found by bisection: entries stand in the order of the instant that changes them.
"""

import gc
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Final

from patchgate.policy.overview import list_tracked_images
from patchgate.policy.pace import Pace, sort_in_runs
from patchgate.policy.policy import Severity
from patchgate.policy.snapshot import Snapshot
from patchgate.server.page.entry import NEVER, Course, Entry, Standing, make_entry
from patchgate.server.page.query import Order, Query
from patchgate.server.page.stretch import Stretch

_BY_DUE: Final = attrgetter("due")
_WORST_FIRST: Final = tuple(reversed(Severity))
_FEW: Final = 256
_YOUNG: Final = 2048
"""Entries that the garbage collector has to walk through: of 100,000 it takes 40 ms, and keeps the interpreter."""


@dataclass(frozen=True, slots=True)
class Index:
    """The images of one snapshot.

    Attributes:
        snapshot: the snapshot.
        entries: every listed image, by repository and tag.
        courses: those of each course, by due.
    """

    snapshot: Snapshot
    entries: list[Entry]
    courses: Mapping[Course, list[Entry]]
    _sorted: dict[Order, list[Entry]] = field(default_factory=dict)

    @classmethod
    def build(cls, snapshot: Snapshot, now: datetime, pace: Pace = iter) -> "Index":
        """Index the snapshot. now: aware UTC."""
        entries: list[Entry] = []
        courses: dict[Course, list[Entry]] = {course: [] for course in Course}
        for number, tracked in enumerate(list_tracked_images(snapshot, now, pace=pace), 1):
            entry = make_entry(tracked, snapshot.policy.stale_after, now)
            entries.append(entry)
            courses[entry.course].append(entry)
            if number % _YOUNG == 0:
                _keep_from_collector()
        by_due = {course: list(sort_in_runs(some, _BY_DUE, pace)) for course, some in courses.items()}
        return cls(snapshot, entries, by_due)

    def find(self, standing: Standing, now: datetime) -> Stretch:
        """Give the images that stand so now, the most urgent first."""
        clocks, approvals = self.courses[Course.CLOCK], self.courses[Course.APPROVAL]
        match standing:
            case Standing.BREACHED:
                return Stretch.of(clocks).cut(stop=bisect_right(clocks, now, key=_BY_DUE))
            case Standing.WAITING:
                return Stretch.of(clocks).cut(bisect_right(clocks, now, key=_BY_DUE))
            case Standing.STALE:
                return Stretch.of(approvals).cut(stop=bisect_left(approvals, now, key=_BY_DUE))
            case Standing.APPROVED:
                return Stretch.of(approvals).cut(bisect_left(approvals, now, key=_BY_DUE))
            case Standing.UNPATCHABLE:
                return Stretch.of(self.courses[Course.UNPATCHABLE])
            case Standing.UNSCANNED:
                return Stretch.of(self.courses[Course.UNSCANNED])

    def count(self, now: datetime) -> dict[Standing, int]:
        """Count the images of each standing."""
        return {standing: len(self.find(standing, now)) for standing in Standing}

    def select(self, query: Query, now: datetime, pace: Pace = iter) -> Sequence[Stretch]:
        """Give the images that a query asks for, in its order."""
        stretches = self._put_in_order(query, now, pace)
        if query.words:
            every = pace(chain.from_iterable(stretches))
            stretches = [Stretch.of([entry for entry in every if entry.matches(query.words)])]
        return [stretch.turn_round() for stretch in reversed(stretches)] if query.is_reversed else stretches

    def clear(self, pace: Pace) -> None:
        """Let go of the images a few at a time: of 100,000 at once that keeps the interpreter for 20 ms."""
        for entries in (*self.courses.values(), *self._sorted.values()):
            entries.clear()  # each is still in the last list
        for start in pace(reversed(range(0, len(self.entries), _FEW))):
            del self.entries[start:]

    def _put_in_order(self, query: Query, now: datetime, pace: Pace) -> Sequence[Stretch]:
        if query.order is Order.URGENCY:
            return [self.find(standing, now) for standing in ((query.standing,) if query.standing else Standing)]
        entries = self._sort(query.order, pace)
        if query.standing:
            entries = [entry for entry in pace(entries) if entry.find_standing(now) is query.standing]
        return [Stretch.of(entries)]

    def _sort(self, order: Order, pace: Pace) -> list[Entry]:
        if order is Order.IMAGE:
            return self.entries
        if order not in self._sorted:
            self._sorted[order] = list(sort_in_runs(self.entries, _KEYS[order], pace))
        return self._sorted[order]


def _keep_from_collector() -> None:
    """Spare the garbage collector what is there: nothing of an index is a cycle (docs/adr/0009)."""
    gc.collect(1)  # what is young and a cycle goes now, or it would stay for ever
    gc.freeze()


def _count_findings(entry: Entry) -> tuple[int, ...]:
    """Give findings for an order: the most of the worst severity first."""
    before = entry.tracked.record.fixable_before if entry.tracked.record else {}
    return tuple(-before.get(severity, 0) for severity in _WORST_FIRST)


def _say_first_seen(entry: Entry) -> datetime:
    return entry.tracked.record.first_seen if entry.tracked.record else NEVER


def _say_verified(entry: Entry) -> datetime:
    record = entry.tracked.record
    return (record.verified if record else None) or NEVER


_KEYS: Final[Mapping[Order, Callable[[Entry], tuple[int, ...] | datetime]]] = {
    Order.FINDINGS: _count_findings,
    Order.FIRST_SEEN: _say_first_seen,
    Order.VERIFIED: _say_verified,
}
