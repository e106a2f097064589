"""Steps that every transition is made of: how a record begins, what a look at the source adds, how it ends. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from patchgate.limits import CLOCK_SKEW_SECONDS, EARLIER_SOURCES
from patchgate.patcher.attempt import Attempt
from patchgate.patcher.image import Manifest, Target
from patchgate.patcher.record_size import fit_message, fit_record
from patchgate.policy.policy import Effect, Policy
from patchgate.policy.record import Approval, Record, Scanner, SourceClock, State, Unverified
from patchgate.policy.verdict import show

SCANNER_CHARACTERS: Final = 80
"""A scanner's name or version in a record: what a program says of itself, which may be anything."""
_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)


def begin(before: Record | None, target: Target, now: datetime) -> Record:
    """Give the record to go on from: a new one, or the one that stands, with no time ahead of now.

    A line of `digests.txt` stands for a record too, verified at the end of its day, which may be to come. What an older
    patcher did not record of the sources is taken from what it did.
    """
    if before is None:
        return _make_record(target, round_time(now))
    is_of_its_source = before.vulnerable_platforms is None and bool(before.threshold)
    first_patched = before.first_patched or (before.patched if is_of_its_source else None)
    clocks = {digest: before.clock_of(digest) for digest in before.earlier_sources} | dict(before.earlier_clocks)
    return replace(
        before,
        approved=before.approved and replace(before.approved, verified=_clamp(before.approved.verified, now)),
        earlier=tuple(replace(each, verified=_clamp(each.verified, now)) for each in before.earlier),
        first_seen=_clamp(before.first_seen, now),
        first_vulnerable=before.first_vulnerable and _clamp(before.first_vulnerable, now),
        patched=before.patched and _clamp(before.patched, now),
        first_patched=first_patched and _clamp(first_patched, now),
        earlier_clocks={digest: _clamp_clock(clock, now) for digest, clock in clocks.items()},
        scanner=before.scanner and _clamp_scanner(before.scanner, now),
        updated=_clamp(before.updated, now),
    )


def is_overtaken(before: Record | None, attempt: Attempt) -> bool:
    """Tell whether another run has verified an approval since this attempt began: then that one's word stands."""
    approved = before.approved if before and before.threshold else None
    return approved is not None and approved.verified > attempt.begun


def is_refused(record: Record, policy: Policy) -> bool:
    """Tell whether the policy refuses the image because nobody can patch it: no SLA may admit it again."""
    is_denied = policy.unpatchable is Effect.DENY and record.approved is None
    return is_denied and record.state is State.UNPATCHABLE


def is_over(record: Record, policy: Policy, now: datetime) -> bool:
    """Tell whether the SLA of an image without an approval is over."""
    return record.approved is None and now - record.clock_of(None).since >= policy.patch_sla


def look(record: Record, attempt: Attempt, now: datetime, *, stays_unpatchable: bool = False) -> Record:
    """Take over what the attempt saw of the source. stays_unpatchable: whether the record will say that."""
    since = _find_start(record, attempt.policy, now)
    has_moved = attempt.source is not None and attempt.source.digest != record.source_digest
    if record.first_vulnerable and is_refused(record, attempt.policy) and (has_moved or not stays_unpatchable):
        record = replace(record, first_vulnerable=min(record.first_vulnerable, since))
    if attempt.source and attempt.source.digest != record.source_digest:
        record = _move_source(record, attempt.source, attempt.platforms)
    elif attempt.source:
        record = replace(record, source_platforms=dict(attempt.source.platforms), platforms_left_out=0)
    if attempt.fixable_before is not None:
        record = replace(record, fixable_before=attempt.fixable_before)
    if not attempt.is_vulnerable:
        return record
    known = (record.vulnerable_platforms or ()) if record.first_vulnerable else ()
    unseen = (platform for platform in known if platform not in attempt.platforms)
    vulnerable = dict.fromkeys((*attempt.vulnerable_platforms, *unseen))
    found = replace(
        record,
        first_vulnerable=record.first_vulnerable or since,
        vulnerable_platforms=tuple(vulnerable) or None,
    )
    return clear_source(found)


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


def end(  # noqa: PLR0913 -- what a record ends with
    record: Record,
    attempt: Attempt,
    message: str,
    now: datetime,
    *,
    unverified: Unverified | None = None,
    tried: str | None = None,
    goes_on: bool = False,
) -> Record:
    """Give the record as it is written: stale earlier approvals are gone, the message is one line, it is the newest.

    It fits in its size.

    unverified: what was built for it; what was before is done with.
    tried: the digest that could not be looked at.
    goes_on: whether the attempt has not ended yet.
    """
    fresh = tuple(each for each in record.earlier if each.is_fresh(now, attempt.policy.stale_after))
    ended = replace(
        record,
        unverified=unverified,
        tried=tried,
        unended=record.unended if goes_on else 0,
        earlier=fresh,
        verified=record.approved.verified if record.approved else None,
        message=fit_message(message),
        updated=max(record.updated, round_time(now)),
    )
    return fit_record(ended, attempt.policy)


def round_time(time: datetime) -> datetime:
    """Give the time in UTC and whole seconds, as records have it; never a later one."""
    try:
        return time.astimezone(UTC).replace(microsecond=0)
    except OverflowError:  # the first day of the calendar, east of Greenwich
        return datetime.min.replace(tzinfo=UTC)


def round_scanner(scanner: Scanner) -> Scanner:
    """Give the scanner as records have it: short texts, and its database's time in whole seconds."""
    name, version = show(scanner.name, SCANNER_CHARACTERS), show(scanner.version, SCANNER_CHARACTERS)
    return Scanner(name, version, scanner.database and round_time(scanner.database))


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


def _find_start(record: Record, policy: Policy, now: datetime) -> datetime:
    """Find when the SLA's clock starts if the source is found vulnerable now: with the one that runs already.

    An image that could never be looked at, or that nobody verified for too long, gets no new time by a scan.
    """
    approved = record.approved
    if approved:
        return round_time(now) if approved.is_fresh(now, policy.stale_after) else approved.verified
    if is_refused(record, policy):
        return round_time(now - policy.patch_sla)
    return round_time(now) if record.state is State.UNPATCHABLE else record.first_seen


def _move_source(record: Record, source: Manifest, platforms: Iterable[str]) -> Record:
    """Make another digest the source; what the one before was, if found vulnerable, is an earlier source.

    A source that comes back, or is part of the new one, brings its clock. A platform that nobody looks at does not:
    it stays among the earlier sources.
    """
    clocks = _list_clocks(record)
    present = {source.digest, *(source.platforms[each] for each in platforms if each in source.platforms)}
    back = {digest: clocks[digest] for digest in present if digest in clocks}
    earlier = [digest for digest in clocks if digest not in present][-EARLIER_SOURCES:]
    starts = [clock.since for clock in back.values()] + ([record.first_vulnerable] if record.first_vulnerable else [])
    return replace(
        record,
        source_digest=source.digest,
        source_platforms=dict(source.platforms),
        platforms_left_out=0,
        earlier_sources=tuple(earlier),
        earlier_clocks={digest: clocks[digest] for digest in earlier},
        first_vulnerable=min(starts, default=None),
        vulnerable_platforms=tuple(name for name, digest in source.platforms.items() if digest in back),
        first_patched=min((clock.patched for clock in back.values() if clock.patched), default=None),
        patched=record.first_patched or record.patched,
        threshold="" if record.approved else record.threshold,
    )


def _list_clocks(record: Record) -> Mapping[str, SourceClock]:
    """List every source found vulnerable with its clock, the present one last."""
    present = SourceClock(record.clock_of(None).since, record.first_patched)
    return {digest: record.earlier_clocks.get(digest, present) for digest in dict.fromkeys(record.vulnerable_sources)}


def _is_same(one: Approval, other: Approval) -> bool:
    return (one.tagged, one.digest) == (other.tagged, other.digest)


def _clamp_clock(clock: SourceClock, now: datetime) -> SourceClock:
    return SourceClock(_clamp(clock.since, now), clock.patched and _clamp(clock.patched, now))


def _clamp_scanner(scanner: Scanner, now: datetime) -> Scanner:
    """Forget a database that is ahead: it is compared, and two that are taken for now would be equal."""
    is_ahead = scanner.database is not None and scanner.database - now > _SKEW
    return replace(scanner, database=None) if is_ahead else scanner


def _clamp(time: datetime, now: datetime) -> datetime:
    return round_time(now) if time - now > _SKEW else round_time(time)
