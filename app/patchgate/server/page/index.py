"""The page's index of a snapshot: its images in each order that people ask for, so that a page costs only its rows.

What depends on the time is found by bisection: entries stand in the order of the instant that changes them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Final

from patchgate.policy.overview import list_tracked_images
from patchgate.policy.policy import Severity
from patchgate.policy.snapshot import Snapshot
from patchgate.server.page.entry import NEVER, Course, Entry, Standing, make_entry
from patchgate.server.page.query import Order, Query

_BY_DUE: Final = attrgetter("due")
_WORST_FIRST: Final = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class Index:
    """The images of one snapshot.

    Attributes:
        snapshot: the snapshot.
        entries: every listed image, by repository and tag.
        by_image: the same by name.
        courses: those of each course, by due.
    """

    snapshot: Snapshot
    entries: Sequence[Entry]
    by_image: Mapping[str, Entry]
    courses: Mapping[Course, Sequence[Entry]]
    _sorted: dict[Order, Sequence[Entry]] = field(default_factory=dict)

    @classmethod
    def build(cls, snapshot: Snapshot, now: datetime) -> "Index":
        """Index the snapshot. now: aware UTC."""
        stale_after = snapshot.policy.stale_after
        entries = [make_entry(tracked, stale_after, now) for tracked in list_tracked_images(snapshot, now)]
        courses: dict[Course, list[Entry]] = {course: [] for course in Course}
        for entry in sorted(entries, key=_BY_DUE):
            courses[entry.course].append(entry)
        return cls(snapshot, entries, {entry.tracked.image: entry for entry in entries}, courses)

    def find(self, standing: Standing, now: datetime) -> Sequence[Entry]:
        """Give the images that stand so now, the most urgent first."""
        clocks, approvals = self.courses[Course.CLOCK], self.courses[Course.APPROVAL]
        match standing:
            case Standing.BREACHED:
                return clocks[: bisect_right(clocks, now, key=_BY_DUE)]
            case Standing.WAITING:
                return clocks[bisect_right(clocks, now, key=_BY_DUE) :]
            case Standing.STALE:
                return approvals[: bisect_left(approvals, now, key=_BY_DUE)]
            case Standing.APPROVED:
                return approvals[bisect_left(approvals, now, key=_BY_DUE) :]
            case Standing.UNPATCHABLE:
                return self.courses[Course.UNPATCHABLE]
            case Standing.UNSCANNED:
                return self.courses[Course.UNSCANNED]

    def count(self, now: datetime) -> dict[Standing, int]:
        """Count the images of each standing."""
        return {standing: len(self.find(standing, now)) for standing in Standing}

    def select(self, query: Query, now: datetime) -> Sequence[Entry]:
        """Give the images that a query asks for, in its order."""
        if query.order is Order.URGENCY:
            standings = (query.standing,) if query.standing else Standing
            chosen = list(chain.from_iterable(self.find(standing, now) for standing in standings))
        else:
            chosen = list(self._sort(query.order))
            if query.standing:
                chosen = [entry for entry in chosen if entry.find_standing(now) is query.standing]
        if query.words:
            chosen = [entry for entry in chosen if entry.matches(query.words)]
        return chosen[::-1] if query.is_reversed else chosen

    def _sort(self, order: Order) -> Sequence[Entry]:
        if order not in self._sorted:
            self._sorted[order] = sorted(self.entries, key=_KEYS[order]) if order in _KEYS else self.entries
        return self._sorted[order]


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
