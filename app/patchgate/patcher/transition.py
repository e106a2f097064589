"""What an attempt makes of an image's record: one pure function an outcome, each a `store.Change` once it is bound.

What holds after every one of them, whatever stood there before (another run may have written meanwhile):
- An approval that is fresh stays, in force or among the earlier ones. Only the very source that a scan finds
  vulnerable stops being one. A patched approval in force is replaced by a newer one alone.
- `first_seen` is the first attempt's. `first_vulnerable` is set when findings count and cleared by `clean` alone.
- A source that the tag had before and that was found vulnerable is among `earlier_sources`, the present one never.
- The SLA's clock of a source and the rollout grace of its first patch go on where they began, wherever the tag moves.
- `threshold` and `scanner` say how the approval in force was verified; the threshold is empty while that approval is
  none of the present source, or was found wanting: then `plan` scans the source.
- Times are whole seconds and none lies ahead, so that the record is read back as it is.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from patchgate.patcher.attempt import Attempt
from patchgate.patcher.record_size import fit_record
from patchgate.patcher.record_step import (
    add_earlier,
    begin,
    clear_source,
    end,
    is_over,
    is_overtaken,
    is_refused,
    look,
    put_in_force,
    round_scanner,
    round_time,
    verify,
)
from patchgate.policy.record import Approval, Record, State, Unverified


def record_attempt(before: Record | None, attempt: Attempt, now: datetime) -> Record:
    """Record that an attempt begins, before what may end the patcher by force: then the image goes last next time."""
    record = begin(before, attempt.target, now)
    if is_overtaken(before, attempt):
        return record
    if before is None:
        record = replace(record, state=State.PENDING, message="a run has begun to look at it")
    begun = replace(record, unended=record.unended + 1, updated=max(record.updated, round_time(now)))
    return fit_record(begun, attempt.policy)


def record_left(before: Record | None, attempt: Attempt, now: datetime) -> Record:
    """Record that an attempt was given up in an orderly way, as the run had to end."""
    return replace(begin(before, attempt.target, now), unended=0)


def record_refresh(before: Record | None, attempt: Attempt, digest: str, message: str, now: datetime) -> Record:
    """Record that the approved digest is verified still, for the attempt's platforms.

    message: empty keeps the one of its approval.
    """
    record = begin(before, attempt.target, now)
    earlier = tuple(verify(each, attempt.platforms, now) if each.digest == digest else each for each in record.earlier)
    record = replace(record, earlier=earlier)
    if record.approved is None or record.approved.digest != digest:  # another run has approved another one meanwhile
        return end(record, attempt, record.message, now)
    after = record.fixable_after if attempt.fixable_after is None else attempt.fixable_after
    refreshed = replace(
        record,
        state=State.CLEAN if digest == record.source_digest else State.PATCHED,
        approved=verify(record.approved, attempt.platforms, now),
        threshold=attempt.policy.severity_threshold.value,
        scanner=round_scanner(attempt.scanner),
        fixable_after=after,
    )
    was_approved = record.state in {State.CLEAN, State.PATCHED}
    return end(refreshed, attempt, message or (record.message if was_approved else "verified again"), now)


def record_clean(before: Record | None, attempt: Attempt, message: str, now: datetime) -> Record:
    """Record that nothing fixable of the source counts: it is approved itself, for the attempt's platforms.

    Raises:
        ValueError: nobody has described the source.
    """
    target, source = attempt.target, attempt.source
    if source is None:
        raise ValueError("a source that nobody has described cannot be approved")
    verified = {platform: source.platforms[platform] for platform in attempt.platforms}
    approval = Approval(target.repository, target.tag, source.digest, verified, round_time(now))

    def call_clean(record: Record) -> Record:
        return replace(record, first_vulnerable=None, vulnerable_platforms=(), patched=None, first_patched=None)

    return _approve(before, attempt, approval, message, now, call_clean)


def record_patched(before: Record | None, attempt: Attempt, approval: Approval, message: str, now: datetime) -> Record:
    """Record a verified, tagged image of the source."""

    def date(record: Record) -> Record:
        return replace(record, patched=round_time(now), first_patched=record.first_patched or round_time(now))

    return _approve(before, attempt, approval, message, now, date)


def record_pending(before: Record | None, attempt: Attempt, message: str, now: datetime) -> Record:
    """Record that the source is vulnerable, and no candidate good enough: the SLA's clock runs, the approval stays."""
    return _leave_unapproved(before, attempt, State.PENDING, message, now)


def record_vulnerable(before: Record | None, attempt: Attempt, message: str, now: datetime) -> Record:
    """Record that the source is vulnerable before anything is built; what an interrupted run built stays known."""
    unverified = before.unverified if before else None
    return _leave_unapproved(before, attempt, State.PENDING, message, now, unverified, goes_on=True)


def record_built(before: Record | None, attempt: Attempt, unverified: Unverified, now: datetime) -> Record:
    """Record that a patched image was pushed and has to be verified: whatever comes now, it need not be built again."""
    record = begin(before, attempt.target, now)
    if is_overtaken(before, attempt):
        return record
    message = f"patched as {unverified.tag}, to be verified; a run that is interrupted goes on from it"
    pending = replace(look(record, attempt, now), state=State.PENDING)
    return end(pending, attempt, message, now, unverified=unverified, goes_on=True)


def record_unpatchable(before: Record | None, attempt: Attempt, message: str, now: datetime) -> Record:
    """Record that nobody can patch it; what the source itself was approved for is over.

    What was found vulnerable while it could be patched is failed instead: seeing less of it must not end its SLA. So is
    what is found vulnerable after its SLA, as nobody could look at it before.
    """
    record = begin(before, attempt.target, now)
    seen = look(record, replace(attempt, is_vulnerable=None), now, stays_unpatchable=True)
    is_late = bool(before and attempt.is_vulnerable) and is_over(record, attempt.policy, now)
    if record.state is State.UNPATCHABLE or (seen.first_vulnerable is None and not is_late):
        return _leave_unapproved(before, attempt, State.UNPATCHABLE, message, now)
    why = f"{message}; findings counted in it before, so that its SLA runs on: rebuild it, or ask for an exception"
    return _leave_unapproved(before, attempt, State.FAILED, why, now)


def record_failure(before: Record | None, attempt: Attempt, message: str, now: datetime) -> Record:
    """Record that the attempt failed, wherever it got to.

    A tag that moved to what nobody could scan: that is the source only where the one before was not vulnerable, or
    its being vulnerable would be said of the new one too. What is known to be unpatchable stays so.
    """
    record = begin(before, attempt.target, now)
    if is_overtaken(before, attempt):
        return record
    was_admitted = record.first_vulnerable is None and not is_refused(record, attempt.policy)
    if attempt.is_vulnerable is not None or was_admitted:
        record = look(record, attempt, now)
    is_as_before = before is not None and record.source_digest == before.source_digest and attempt.is_vulnerable is None
    state = State.UNPATCHABLE if record.state is State.UNPATCHABLE and is_as_before else State.FAILED
    pin = attempt.target.digest
    tried = None if pin in {*replace(record, tried=None).sources} else pin
    # What was built may be good: the next run goes on from it.
    return end(replace(record, state=state), attempt, message, now, unverified=record.unverified, tried=tried)


def _approve(  # noqa: PLR0913, PLR0917 -- what an approval is made of
    before: Record | None,
    attempt: Attempt,
    approval: Approval,
    message: str,
    now: datetime,
    finish: Callable[[Record], Record],
) -> Record:
    """Put the approval in force, or beside the one that another run put there meanwhile.

    Not beside it where that run, with a newer database, has found vulnerable what is approved.
    """
    record, approval = begin(before, attempt.target, now), replace(approval, verified=round_time(approval.verified))
    if is_overtaken(before, attempt):
        is_refuted = approval.digest in record.vulnerable_sources
        return record if is_refuted else end(add_earlier(record, approval), attempt, record.message, now)
    approved = put_in_force(look(record, attempt, now), approval, attempt)
    state = State.CLEAN if approval.tagged == record.key else State.PATCHED
    return end(finish(replace(approved, state=state)), attempt, message, now)


def _leave_unapproved(  # noqa: PLR0913, PLR0917 -- what such a record ends with
    before: Record | None,
    attempt: Attempt,
    state: State,
    message: str,
    now: datetime,
    unverified: Unverified | None = None,
    *,
    goes_on: bool = False,
) -> Record:
    record = begin(before, attempt.target, now)
    if is_overtaken(before, attempt):
        return record
    record = look(record, attempt, now, stays_unpatchable=state is State.UNPATCHABLE)
    if state is State.UNPATCHABLE:
        record = clear_source(record)
    unapproved = replace(
        record,
        state=state,
        threshold="" if record.approved else attempt.policy.severity_threshold.value,
        scanner=record.scanner if record.approved else round_scanner(attempt.scanner),
        fixable_after={} if attempt.fixable_after is None else attempt.fixable_after,
    )
    return end(unapproved, attempt, message, now, unverified=unverified, goes_on=goes_on)
