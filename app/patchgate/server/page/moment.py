"""A moment as people read it: how long ago it was, with the time itself beside."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from patchgate.policy.verdict import say_duration, say_time


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment.

    Attributes:
        text: `3 h ago`, `in 5 min`, in the largest unit.
        exact: RFC 3339, UTC, to the minute.
    """

    text: str
    exact: str


def tell_moment(time: datetime | None, now: datetime) -> Moment | None:
    """Tell of a moment; None where there is none."""
    if time is None:
        return None
    past = now - time
    size = " ".join(say_duration(abs(past)).split()[:2])  # its largest unit: the rest is in `exact`
    text = f"{size} ago" if past >= timedelta() else f"in {size}"
    return Moment("just now" if text == "0 s ago" else text, say_time(time))
