"""The tally: how many listed images stand where, in a form that is counted once and asked at any time.

It decides nothing: it counts what the overview shows. No name of an image is in it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from patchgate.policy.overview import list_tracked_images
from patchgate.policy.record import State
from patchgate.policy.snapshot import Snapshot

UNSCANNED: Final = "unscanned"
"""State of an image that the patcher has not looked at yet."""
STATES: Final = (*(state.value for state in State), UNSCANNED)
_BOUNDS: Final = (
    ("under_1h", timedelta(hours=1)),
    ("under_4h", timedelta(hours=4)),
    ("under_24h", timedelta(hours=24)),
)
_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted of one snapshot. Times are aware UTC, the earliest first.

    Attributes:
        states: every state → listed images in it.
        deadlines: when the SLA of each image whose clock runs is breached.
        stale_from: when each approved image's freshest approval is stale; long ago where it was when counted.
    """

    states: Mapping[str, int]
    deadlines: tuple[datetime, ...]
    stale_from: tuple[datetime, ...]

    @classmethod
    def count(cls, snapshot: Snapshot, now: datetime) -> "Tally":
        """Count the images of every list line. Takes some 10 µs an image."""
        states, deadlines, stale_from = Counter(dict.fromkeys(STATES, 0)), list[datetime](), list[datetime]()
        for image in list_tracked_images(snapshot, now):
            states[image.record.state.value if image.record else UNSCANNED] += 1
            if image.time_left is not None:
                deadlines.append(now + image.time_left)
            if image.approval:
                stale_from.append(image.approval.verified + snapshot.policy.stale_after)
            elif image.is_stale:
                stale_from.append(_ALWAYS)
        return cls(states, tuple(sorted(deadlines)), tuple(sorted(stale_from)))

    def count_by_time_left(self, now: datetime) -> Mapping[str, int]:
        """Count the images whose clock runs by the time left, each once: `none` is breached."""
        counts, before = {}, 0
        for name, bound in (("none", timedelta()), *_BOUNDS):
            reached = bisect_right(self.deadlines, now + bound)
            counts[name], before = reached - before, reached
        return counts | {"over_24h": len(self.deadlines) - before}

    def count_stale(self, now: datetime) -> int:
        """Count the images that were approved, and nothing of that is fresh."""
        return bisect_left(self.stale_from, now)  # at its very end it is fresh: Approval.is_fresh

    def find_next_deadline(self, now: datetime) -> datetime | None:
        """Find when the SLA is breached next; None where no clock runs that has not run out."""
        return next(iter(self.deadlines[bisect_right(self.deadlines, now) :]), None)
