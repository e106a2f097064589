"""An entry of the page's index: a listed image, and the one instant that changes how it stands until the data does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from patchgate.policy.overview import TrackedImage
from patchgate.policy.record import Approval

NEVER: Final = datetime.min.replace(tzinfo=UTC)
"""The due of what waits for nothing."""


class Standing(StrEnum):
    """How a listed image stands, the worst first."""

    BREACHED = "breached"
    STALE = "stale"
    WAITING = "waiting"
    UNPATCHABLE = "unpatchable"
    UNSCANNED = "unscanned"
    APPROVED = "approved"


class Course(StrEnum):
    """What an image waits for: its SLA to pass, its approval to become stale, or nothing."""

    CLOCK = "clock"
    APPROVAL = "approval"
    UNPATCHABLE = "unpatchable"
    UNSCANNED = "unscanned"


@dataclass(frozen=True, slots=True)
class Entry:
    """A listed image in one snapshot.

    Attributes:
        tracked: as it was when the index was made; its `approval` and `time_left` are of then.
        course: what it waits for.
        due: when that is, aware UTC; `NEVER` where nothing comes.
    """

    tracked: TrackedImage
    course: Course
    due: datetime

    def find_standing(self, now: datetime) -> Standing:
        """Say how the image stands now. now: aware UTC, not before the index was made."""
        match self.course:
            case Course.CLOCK:
                return Standing.BREACHED if self.due <= now else Standing.WAITING
            case Course.APPROVAL:
                return Standing.STALE if self.due < now else Standing.APPROVED
            case Course.UNPATCHABLE:
                return Standing.UNPATCHABLE
            case Course.UNSCANNED:
                return Standing.UNSCANNED

    def find_approval(self, now: datetime) -> Approval | None:
        """Give the approval to use now; None where there is none that is fresh."""
        return self.tracked.approval if now <= self.due else None

    def matches(self, words: tuple[str, ...]) -> bool:
        """Tell whether every word, in lower case, is in the image's name or its message."""
        name = self.tracked.image.lower()
        message = self.tracked.record.message.lower() if self.tracked.record else ""
        return all(word in name or word in message for word in words)


def make_entry(tracked: TrackedImage, stale_after: timedelta, now: datetime) -> Entry:
    """Make an entry of an image as it stands now."""
    record = tracked.record
    if record is None:
        return Entry(tracked, Course.UNSCANNED, NEVER)
    if tracked.time_left is not None:
        return Entry(tracked, Course.CLOCK, now + tracked.time_left)
    if tracked.approval:
        return Entry(tracked, Course.APPROVAL, tracked.approval.verified + stale_after)
    if tracked.is_stale:
        last = max(approval.verified for approval in record.approvals) + stale_after
        return Entry(tracked, Course.APPROVAL, min(last, now - timedelta.resolution))
    return Entry(tracked, Course.UNPATCHABLE, NEVER)
