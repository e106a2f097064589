"""One image's own page: how it stands, what its record holds and held, and the lines that act on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from patchgate.policy.policy import Policy
from patchgate.policy.record import Approval, Record
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import say_duration, say_time, show
from patchgate.server.page.entry import Entry
from patchgate.server.page.lines import Lines, write_lines
from patchgate.server.page.moment import Moment, tell_moment
from patchgate.server.page.row import Row, make_row, say_message


@dataclass(frozen=True, slots=True)
class Fact:
    """Something known of an image, in a word and a sentence."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """An approval, in force or earlier.

    Attributes:
        reference: REPO:TAG@DIGEST.
        verified: when it was last verified.
        word: whether it may be used now.
        platforms: each with its digest.
    """

    reference: str
    verified: Moment | None
    word: str
    platforms: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ImageView:
    """The page of one image.

    Attributes:
        row: as in the table.
        message: what the patcher says.
        facts: of the list and the record.
        approvals: the one in force first, then earlier ones.
        sources: the digests that name it unpatched: the current one, then those that the tag had before.
        lines: to copy.
    """

    row: Row
    message: str
    facts: tuple[Fact, ...]
    approvals: tuple[ApprovalView, ...]
    sources: tuple[Fact, ...]
    lines: tuple[Lines, ...]


def make_image_view(entry: Entry, snapshot: Snapshot, now: datetime) -> ImageView:
    """Make the page of an image. now: aware UTC."""
    record, policy = entry.tracked.record, snapshot.policy
    return ImageView(
        row=make_row(entry, snapshot, now),
        message=say_message(entry),
        facts=tuple(_list_facts(entry, policy)),
        approvals=tuple(_tell_approval(each, record, policy, now) for each in record.approvals) if record else (),
        sources=tuple(_list_sources(record)) if record else (),
        lines=write_lines(entry.tracked.image, record, entry.find_approval(now)),
    )


def _list_facts(entry: Entry, policy: Policy) -> Iterator[Fact]:
    tracked, record = entry.tracked, entry.tracked.record
    yield Fact("Listed in", f"{show(tracked.configmap)}, line {tracked.line}")
    if record is None:
        return
    yield Fact("First seen", say_time(record.first_seen))
    if record.first_vulnerable:
        sla = say_duration(policy.patch_sla)
        yield Fact("Vulnerable since", f"{say_time(record.first_vulnerable)} (the patch SLA is {sla})")
    if record.patched:
        yield Fact("Patched", say_time(record.patched))
    if record.threshold:
        yield Fact("Findings count from", show(record.threshold))
    if record.scanner:
        database = f", database of {say_time(record.scanner.database)}" if record.scanner.database else ""
        yield Fact("Scanner", f"{show(record.scanner.name)} {show(record.scanner.version)}{database}")
    if record.unverified:
        yield Fact("Pushed, not verified yet", f"{record.unverified.repository}:{record.unverified.tag}")
    yield Fact("Record written", say_time(record.updated))


def _tell_approval(approval: Approval, record: Record, policy: Policy, now: datetime) -> ApprovalView:
    is_fresh = approval.is_fresh(now, policy.stale_after)
    word = "in force" if approval is record.approved else "earlier"
    return ApprovalView(
        str(approval),
        tell_moment(min(approval.verified, now), now),
        f"{word}, {'fresh' if is_fresh else 'stale'}",
        tuple(Fact(show(platform), digest) for platform, digest in approval.platforms.items()),
    )


def _list_sources(record: Record) -> Iterator[Fact]:
    if record.source_digest:
        yield Fact("now", record.source_digest)
    for platform, digest in record.source_platforms.items():
        yield Fact(show(platform), digest)
    for digest in reversed(record.earlier_sources):
        yield Fact("before", digest)
