"""Steps that every transition is made of: how a record begins, what a look at the source adds, how it ends. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from patchgate.limits import CLOCK_SKEW_SECONDS, EARLIER_SOURCES, RECORD_MESSAGE_CHARACTERS
from patchgate.patcher.attempt import Attempt
from patchgate.patcher.image import Manifest, Target
from patchgate.policy.record import Approval, Record, Scanner, State
from patchgate.policy.verdict import show

_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)


def begin(before: Record | None, target: Target, now: datetime) -> Record:
    """Give the record to go on from: a new one, or the one that stands, with no time ahead of now.

    A line of `digests.txt` stands for a record too, verified at the end of its day, which may be to come.
    """
    if before is None:
        return _make_record(target, round_time(now))
    earlier = tuple(replace(each, verified=_clamp(each.verified, now)) for each in before.earlier)
    approved = before.approved and replace(before.approved, verified=_clamp(before.approved.verified, now))
    return replace(before, approved=approved, earlier=earlier, updated=_clamp(before.updated, now))


def is_overtaken(before: Record | None, attempt: Attempt) -> bool:
    """Tell whether another run has verified an approval since this attempt began: then that one's word stands."""
    approved = before.approved if before and before.threshold else None
    return approved is not None and approved.verified > attempt.begun


def look(record: Record, attempt: Attempt, now: datetime) -> Record:
    """Take over what the attempt saw of the source."""
    if attempt.source and attempt.source.digest != record.source_digest:
        record = _move_source(record, attempt.source)
    if attempt.fixable_before is not None:
        record = replace(record, fixable_before=attempt.fixable_before)
    if not attempt.is_vulnerable:
        return record
    return clear_source(replace(record, first_vulnerable=record.first_vulnerable or round_time(now)))


def clear_source(record: Record) -> Record:
    """Take from the approvals what is the source itself."""
    earlier = tuple(each for each in record.earlier if each.digest != record.source_digest)
    is_source = record.approved is not None and record.approved.digest == record.source_digest
    return replace(record, approved=None if is_source else record.approved, earlier=earlier)


def put_in_force(record: Record, approval: Approval, attempt: Attempt) -> Record:
    """Put an approval in force; the one before is an earlier one."""
    others = (record.approved, *record.earlier) if record.approved else record.earlier
    return replace(
        record,
        approved=approval,
        earlier=tuple(each for each in others if not _is_same(each, approval)),
        threshold=attempt.policy.severity_threshold.value,
        scanner=round_scanner(attempt.scanner),
        fixable_after=attempt.fixable_after if attempt.fixable_after is not None else {},
    )


def add_earlier(record: Record, approval: Approval) -> Record:
    """Add an approval beside the one in force."""
    if record.approved and _is_same(record.approved, approval):
        return record
    return replace(record, earlier=(approval, *(each for each in record.earlier if not _is_same(each, approval))))


def verify(approval: Approval, platforms: Iterable[str], now: datetime) -> Approval:
    """Give the approval verified now, for those of its platforms that were looked at."""
    looked_at = set(platforms)
    kept = {platform: digest for platform, digest in approval.platforms.items() if platform in looked_at}
    return replace(approval, platforms=kept, verified=max(approval.verified, round_time(now)))


def end(record: Record, attempt: Attempt, message: str, now: datetime) -> Record:
    """Give the record as it is written: stale earlier approvals are gone, the message is one line, it is the newest.

    What was built for it and not verified is done with.
    """
    fresh = tuple(each for each in record.earlier if each.is_fresh(now, attempt.policy.stale_after))
    return replace(
        record,
        unverified=None,
        earlier=fresh,
        verified=record.approved.verified if record.approved else None,
        message=show(" ".join(message.split()), RECORD_MESSAGE_CHARACTERS),
        updated=max(record.updated, round_time(now)),
    )


def round_time(time: datetime) -> datetime:
    """Give the time in whole seconds, as records have it; never a later one."""
    return time.replace(microsecond=0)


def round_scanner(scanner: Scanner) -> Scanner:
    """Give the scanner with its database's time as records have it."""
    return replace(scanner, database=scanner.database and round_time(scanner.database))


def _make_record(target: Target, now: datetime) -> Record:
    return Record(
        repository=target.repository,
        tag=target.tag,
        state=State.FAILED,
        source_digest=None,
        source_platforms={},
        earlier_sources=(),
        approved=None,
        earlier=(),
        first_seen=now,
        first_vulnerable=None,
        patched=None,
        verified=None,
        threshold="",
        fixable_before={},
        fixable_after={},
        scanner=None,
        updated=now,
        message="",
    )


def _move_source(record: Record, source: Manifest) -> Record:
    """Make another digest the source; what the one before was, if found vulnerable, is an earlier source."""
    present = {source.digest, *source.platforms.values()}
    before = [digest for digest in dict.fromkeys(record.vulnerable_sources) if digest not in present]
    return replace(
        record,
        source_digest=source.digest,
        source_platforms=dict(source.platforms),
        earlier_sources=tuple(before[-EARLIER_SOURCES:]),
        threshold="" if record.approved else record.threshold,
    )


def _is_same(one: Approval, other: Approval) -> bool:
    return (one.tagged, one.digest) == (other.tagged, other.digest)


def _clamp(time: datetime, now: datetime) -> datetime:
    return round_time(now) if time - now > _SKEW else round_time(time)
