"""A row of the table: one listed image, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchgate.errors import InvalidReferenceError
from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.exception import ImageException
from patchgate.policy.policy import Policy
from patchgate.policy.record import Approval, State
from patchgate.policy.reference import Reference
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import say_duration, show
from patchgate.server.page.entry import Entry, Standing
from patchgate.server.page.findings import Findings, tell_findings
from patchgate.server.page.moment import Moment, tell_moment

SHORT_DIGEST: Final = len("sha256:") + 12
"""Characters of a digest that people compare at a glance."""


@dataclass(frozen=True, slots=True)
class Name:
    """An image's name in parts: what its registry and path are is read less often than its last part and tag."""

    registry: str
    path: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Approved:
    """An approved reference.

    Attributes:
        reference: REPO:TAG@DIGEST, to copy.
        tag: the tag, with its repository where that is another one than the image's.
        digest: how the digest begins.
    """

    reference: str
    tag: str
    digest: str


@dataclass(frozen=True, slots=True)
class Left:
    """The time left, until an image is refused or its approval is stale.

    Attributes:
        share: of the whole, from 0 to 1.
        text: in words.
        what: what the bar shows, for those who do not see it.
    """

    share: float
    text: str
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        image: the name, whole.
        name: in parts.
        standing: how it stands.
        word: the same for people, more closely.
        notes: what the word leaves out: that the last run failed, that it is excepted.
        approved: what to use; None where there is nothing.
        message: why it is not approved, and what to do; empty for an approved one.
    """

    image: str
    name: Name
    standing: Standing
    word: str
    notes: tuple[str, ...]
    approved: Approved | None
    findings: Findings | None
    first_seen: Moment | None
    verified: Moment | None
    left: Left | None
    message: str


def make_row(entry: Entry, snapshot: Snapshot, now: datetime) -> Row:
    """Make the row of an image. now: aware UTC."""
    tracked, standing = entry.tracked, entry.find_standing(now)
    record, approval = tracked.record, entry.find_approval(now)
    is_failing = record is not None and record.state is State.FAILED
    verified = min(record.verified, now) if record and record.verified else None
    return Row(
        image=tracked.image,
        name=split_name(tracked.image),
        standing=standing,
        word=say_standing(entry, standing),
        notes=tuple(_list_notes(entry, standing, snapshot, now)),
        approved=tell_approved(approval, tracked.image) if approval else None,
        findings=tell_findings(record),
        first_seen=tell_moment(record.first_seen if record else None, now),
        verified=tell_moment(verified, now),
        left=tell_left(entry, standing, snapshot.policy, now),
        message=say_message(entry) if standing is not Standing.APPROVED or is_failing else "",
    )


def _list_notes(entry: Entry, standing: Standing, snapshot: Snapshot, now: datetime) -> Iterator[str]:
    record = entry.tracked.record
    if record and record.state is State.FAILED and standing in (Standing.APPROVED, Standing.STALE):
        yield "last run failed"
    exception = find_exception(entry.tracked.image, snapshot, now) if standing is not Standing.APPROVED else None
    if exception:
        where = f" in {show(', '.join(exception.namespaces))}" if exception.namespaces else ""
        yield f"excepted{where} until {exception.expires:%Y-%m-%d}"


def find_exception(image: str, snapshot: Snapshot, now: datetime) -> ImageException | None:
    """Find the first exception that covers a listed tag in some namespace."""
    try:
        reference = Reference.parse(image.partition("@")[0])
    except InvalidReferenceError:  # a pattern that nothing matched yet
        return None
    for exception in snapshot.exceptions.find(reference):
        somewhere = next(iter(exception.namespaces), None)  # a pattern of namespaces matches itself
        if exception.covers(reference, (), somewhere, now):
            return exception
    return None


def say_standing(entry: Entry, standing: Standing) -> str:
    """Say how an image stands, in a word or two."""
    record = entry.tracked.record
    match standing:
        case Standing.BREACHED:
            return "past SLA"
        case Standing.STALE:
            return "stale"
        case Standing.WAITING:
            return record.state if record else "pending"
        case Standing.UNPATCHABLE:
            return "unpatchable"
        case Standing.UNSCANNED:
            return "not scanned"
        case Standing.APPROVED:
            approval = entry.tracked.approval
            is_clean = record and approval and (approval.repository, approval.tag) == (record.repository, record.tag)
            return "clean" if is_clean else "patched"


def say_message(entry: Entry) -> str:
    """Say what the patcher says of the image, fit to show."""
    record, note = entry.tracked.record, entry.tracked.note
    if note:
        return show(note.message, SHOWN_LINE_CHARACTERS)
    return show(record.explanation, SHOWN_LINE_CHARACTERS) if record else "the patcher has not looked at it yet"


def tell_approved(approval: Approval, image: str) -> Approved:
    """Tell of an approval beside the image it is of."""
    tag = approval.tag if image.startswith(f"{approval.repository}:") else approval.tagged
    return Approved(str(approval), tag, approval.digest[:SHORT_DIGEST])


def tell_left(entry: Entry, standing: Standing, policy: Policy, now: datetime) -> Left | None:
    """Tell of the time left; None where no clock runs."""
    left = entry.due - now
    match standing:
        case Standing.WAITING:
            return Left(_share(left, policy.patch_sla), f"{say_duration(left)} left", "of the patch SLA")
        case Standing.BREACHED:
            return Left(0, f"{say_duration(-left)} over", "of the patch SLA")
        case Standing.APPROVED:
            return Left(_share(left, policy.stale_after), f"fresh {say_duration(left)}", "until the approval is stale")
        case Standing.STALE:
            return Left(0, f"{say_duration(-left)} stale", "until the approval is stale")
        case Standing.UNPATCHABLE | Standing.UNSCANNED:
            return None


def _share(left: timedelta, whole: timedelta) -> float:
    return round(min(max(left / whole, 0), 1), 3) if whole else 0


def split_name(image: str) -> Name:
    """Split a normalised REPO:TAG or REPO:TAG@DIGEST."""
    tagged, _, digest = image.partition("@")
    repository, _, tag = tagged.rpartition(":")
    registry, _, path = repository.partition("/")
    return Name(registry, path, tag, digest[:SHORT_DIGEST])
