"""Transitions: the record after each outcome, as the gate reads it and decides by it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.configmaps.write_records import write_records
from patchgate.patcher.answer import ScanSource
from patchgate.patcher.attempt import Attempt
from patchgate.patcher.plan import Facts, plan_first
from patchgate.patcher.transition import (
    record_clean,
    record_failure,
    record_patched,
    record_pending,
    record_refresh,
    record_unpatchable,
)
from patchgate.policy.part import RecordsPart
from patchgate.policy.policy import Policy, Severity
from patchgate.policy.record import Approval, Record, Scanner, State
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason
from tests.patcher.images import (
    AMD64,
    ARM64,
    IMAGE,
    NEWER_TRIVY,
    REPOSITORY,
    TRIVY,
    approval,
    attempt,
    hours,
    manifest,
)
from tests.world import NAMES, NOW, digest, image_list, records, snapshot, verdict

SOURCE, MOVED = manifest("source"), manifest("moved")
X = approval("20260509")


def write(record: Record) -> ConfigMap:
    part = RecordsPart(NAMES.records, {record.key: record}, {}, 1, NOW, ())
    return ConfigMap(NAMES.records, {}, write_records(part))


def world(record: Record, now: datetime = NOW, **policy: str) -> Snapshot:
    """The gate's snapshot with the record, which must be read back as it is."""
    assert read_records(write(record), None, now).records == {record.key: record}
    return snapshot(image_list(IMAGE, **policy), write(record), now=now)


def decide(record: Record, image: str = IMAGE, now: datetime = NOW, **policy: str) -> Reason:
    return verdict(image, world(record, now, **policy), now=now).reason


def patched(now: datetime = NOW, seen: Attempt | None = None, held: Approval | None = None) -> Record:
    held = held or replace(X, verified=now)
    return record_patched(None, seen or attempt(SOURCE, now, is_vulnerable=True), held, "2 CRITICAL fixed", now)


def clean(now: datetime = NOW) -> Record:
    return record_clean(None, attempt(SOURCE, now, is_vulnerable=False), "nothing to fix", now)


def test_a_patched_image_is_admitted_and_its_source_is_refused_with_the_image_to_use() -> None:
    record = patched()
    assert record.state is State.PATCHED
    assert record.first_vulnerable == record.first_seen == record.patched == record.verified == NOW
    assert decide(record, X.tagged) is Reason.APPROVED
    assert decide(record, f"{REPOSITORY}@{X.platforms[AMD64]}") is Reason.APPROVED
    refused = verdict(IMAGE, world(record))
    assert (refused.allowed, refused.reason, refused.use) == (False, Reason.PATCH_AVAILABLE, str(X))
    for source in (SOURCE.digest, *SOURCE.platforms.values()):
        assert decide(record, f"{REPOSITORY}@{source}") is Reason.PATCH_AVAILABLE


def test_a_clean_image_is_admitted_by_its_own_tag_for_the_platforms_that_were_scanned() -> None:
    record = clean()
    assert (record.state, record.first_vulnerable, record.patched) == (State.CLEAN, None, None)
    assert decide(record) is Reason.APPROVED
    assert decide(record, f"{REPOSITORY}@{SOURCE.platforms[AMD64]}") is Reason.APPROVED
    assert record.approved is not None
    assert ARM64 not in record.approved.platforms


def test_a_new_image_that_cannot_be_looked_at_has_the_slas_time() -> None:
    record = record_failure(None, attempt(), "the registry answers 401: check the credentials", NOW)
    assert (record.state, record.first_seen, record.first_vulnerable) == (State.FAILED, NOW, None)
    assert decide(record) is Reason.WITHIN_SLA
    again = record_failure(record, attempt(begun=NOW + hours(25)), "still", NOW + hours(25))
    assert again.first_seen == NOW
    assert decide(again, now=NOW + hours(25)) is Reason.SLA_BREACHED


def test_a_failure_after_the_scan_starts_the_slas_clock() -> None:
    record = record_failure(None, attempt(SOURCE, is_vulnerable=True), "BuildKit is gone", NOW)
    assert (record.source_digest, record.first_vulnerable) == (SOURCE.digest, NOW)
    assert decide(record) is Reason.WITHIN_SLA


@pytest.mark.parametrize("seen", [attempt(), attempt(SOURCE), attempt(MOVED), attempt(SOURCE, is_vulnerable=True)])
def test_a_failure_keeps_a_patched_approval(seen: Attempt) -> None:
    record = record_failure(patched(NOW - hours(1)), seen, "time-out", NOW)
    assert record.state is State.FAILED
    assert record.approved == replace(X, verified=NOW - hours(1))
    assert decide(record, X.tagged) is Reason.APPROVED
    assert decide(record) is Reason.PATCH_AVAILABLE


def test_a_clean_approval_is_cleared_by_the_scan_that_finds_something() -> None:
    seen = attempt(SOURCE, is_vulnerable=True, scanner=NEWER_TRIVY)
    for record in (
        record_pending(clean(NOW - hours(1)), seen, "no fix yet", NOW),
        record_failure(clean(NOW - hours(1)), seen, "BuildKit is gone", NOW),
        record_failure(clean(NOW - hours(1)), replace(seen, source=None), "the registry is gone", NOW),
    ):
        assert (record.approved, record.verified, record.first_vulnerable) == (None, None, NOW)
        assert decide(record) is Reason.WITHIN_SLA
        assert decide(record, f"{REPOSITORY}@{SOURCE.digest}") is Reason.WITHIN_SLA


def test_a_clean_tag_that_moved_to_something_vulnerable_leaves_the_old_copy_approved_by_digest() -> None:
    record = record_pending(clean(NOW - hours(1)), attempt(MOVED, is_vulnerable=True), "no fix yet", NOW)
    assert record.approved is not None
    assert record.approved.digest == SOURCE.digest
    assert record.earlier_sources == ()
    assert decide(record, f"{REPOSITORY}@{SOURCE.digest}") is Reason.APPROVED
    assert decide(record) is Reason.PATCH_AVAILABLE
    assert decide(record, f"{REPOSITORY}@{MOVED.digest}") is Reason.PATCH_AVAILABLE


def test_a_tag_that_moved_keeps_its_clock_and_its_vulnerable_sources() -> None:
    first = record_pending(None, attempt(SOURCE, is_vulnerable=True), "no fix yet", NOW - hours(30))
    record = record_pending(first, attempt(MOVED, is_vulnerable=True), "no fix yet", NOW)
    assert record.first_vulnerable == NOW - hours(30)
    assert record.earlier_sources == (SOURCE.digest, *SOURCE.platforms.values())
    for source in (SOURCE.digest, MOVED.digest, *SOURCE.platforms.values(), *MOVED.platforms.values()):
        assert decide(record, f"{REPOSITORY}@{source}") is Reason.SLA_BREACHED
    back = record_pending(record, attempt(SOURCE, is_vulnerable=True, platforms=(AMD64, ARM64)), "no fix yet", NOW)
    assert back.earlier_sources == (MOVED.digest, *MOVED.platforms.values())


def test_a_tag_that_moved_to_a_clean_image_is_approved_and_the_old_copy_is_not() -> None:
    first = record_pending(None, attempt(SOURCE, is_vulnerable=True), "no fix yet", NOW - hours(30))
    record = record_clean(first, attempt(MOVED, is_vulnerable=False), "nothing to fix", NOW)
    assert record.first_vulnerable is None
    assert decide(record, f"{REPOSITORY}@{MOVED.digest}") is Reason.APPROVED
    assert decide(record, f"{REPOSITORY}@{SOURCE.digest}") is Reason.PATCH_AVAILABLE
    assert decide(record) is Reason.CACHED_COPY  # a node may hold the old one


def test_what_was_counted_is_recorded_and_what_was_not_scanned_keeps_its_counts() -> None:
    seen = attempt(SOURCE, is_vulnerable=True, fixable_before={"CRITICAL": 2}, fixable_after={"LOW": 1})
    record = record_patched(None, seen, X, "", NOW)
    assert (record.fixable_before, record.fixable_after) == ({"CRITICAL": 2}, {"LOW": 1})
    refreshed = record_refresh(record, attempt(), X.digest, "", NOW)
    assert (refreshed.fixable_before, refreshed.fixable_after) == ({"CRITICAL": 2}, {"LOW": 1})
    rescanned = record_refresh(record, attempt(fixable_after={"LOW": 2}), X.digest, "", NOW)
    assert rescanned.fixable_after == {"LOW": 2}
    failed = record_failure(record, attempt(SOURCE), "time-out", NOW)
    assert (failed.fixable_before, failed.fixable_after) == ({"CRITICAL": 2}, {"LOW": 1})


def test_the_same_approval_verified_by_two_runs_is_one() -> None:
    theirs = patched(NOW + hours(1))
    record = record_patched(theirs, attempt(SOURCE, NOW, is_vulnerable=True), X, "ours", NOW + hours(2))
    assert (record.approved, record.earlier) == (theirs.approved, ())


def test_a_run_whose_clock_is_behind_makes_nothing_older() -> None:
    record, behind = patched(), NOW - timedelta(minutes=4)
    refreshed = record_refresh(record, attempt(begun=behind), X.digest, "", behind)
    assert (refreshed.verified, refreshed.updated) == (NOW, NOW)
    assert record_failure(record, attempt(begun=NOW), "time-out", behind).updated == NOW


def test_what_failed_to_be_scanned_is_not_called_vulnerable() -> None:
    moved = attempt(MOVED)
    vulnerable = record_pending(None, attempt(SOURCE, is_vulnerable=True), "no fix yet", NOW)
    assert record_failure(vulnerable, moved, "time-out", NOW).source_digest == SOURCE.digest
    unknown = record_failure(clean(), moved, "time-out", NOW)
    assert (unknown.source_digest, unknown.first_vulnerable) == (MOVED.digest, None)
    assert decide(unknown) is Reason.PATCH_AVAILABLE  # the tag is no longer what was approved
    facts = Facts(MOVED.digest, has_approved=True, scanner=TRIVY)
    assert plan_first(unknown, facts, Policy(), NOW) == ScanSource()


def test_a_newer_patch_replaces_the_approval_and_the_one_before_is_kept_until_it_is_stale() -> None:
    newer, seen = approval("20260510", NOW + hours(20)), attempt(SOURCE, NOW + hours(20), is_vulnerable=True)
    record = record_patched(patched(), seen, newer, "1 CRITICAL fixed", NOW + hours(20))
    assert (record.approved, record.earlier) == (newer, (X,))
    assert decide(record, X.tagged, NOW + hours(20)) is Reason.APPROVED
    later = record_refresh(record, replace(seen, begun=NOW + hours(25)), newer.digest, "", NOW + hours(25))
    assert later.earlier == ()
    assert later.message == "1 CRITICAL fixed"


def test_a_refresh_makes_the_approval_fresh_and_changes_nothing_else() -> None:
    old = patched(NOW - hours(23))
    record = record_refresh(old, attempt(scanner=NEWER_TRIVY, platforms=(AMD64,)), X.digest, "", NOW)
    assert record == replace(old, approved=X, verified=NOW, updated=NOW, scanner=NEWER_TRIVY)
    assert decide(record, X.tagged, NOW + hours(24)) is Reason.APPROVED
    assert decide(record, X.tagged, NOW + hours(25)) is Reason.STALE


def test_a_refresh_after_a_failure_says_so_and_is_patched_or_clean_again() -> None:
    failed = record_failure(patched(NOW - hours(2)), attempt(), "the registry is gone", NOW - hours(1))
    record = record_refresh(failed, attempt(), X.digest, "", NOW)
    assert (record.state, record.message) == (State.PATCHED, "verified again")
    failed = record_failure(clean(NOW - hours(2)), attempt(), "the registry is gone", NOW - hours(1))
    assert record_refresh(failed, attempt(), SOURCE.digest, "", NOW).state is State.CLEAN


def test_a_refresh_for_fewer_platforms_approves_no_others() -> None:
    wide = patched(held=approval("20260509", platforms=(AMD64, ARM64)))
    record = record_refresh(wide, attempt(platforms=(ARM64,)), X.digest, "", NOW)
    assert record.approved is not None
    assert record.approved.platforms == {ARM64: digest("20260509 linux/arm64")}


def test_pending_keeps_a_patched_approval_that_is_then_never_refreshed() -> None:
    record = record_pending(patched(), attempt(SOURCE, is_vulnerable=True, scanner=NEWER_TRIVY), "no fix yet", NOW)
    assert (record.state, record.approved, record.threshold, record.scanner) == (State.PENDING, X, "", TRIVY)
    assert decide(record, X.tagged) is Reason.APPROVED
    assert decide(record, X.tagged, NOW + hours(25)) is Reason.STALE


def test_unpatchable_is_said_and_the_policy_decides() -> None:
    record = record_unpatchable(None, attempt(SOURCE), "debian 10 is past its end of life", NOW)
    assert (record.state, record.first_vulnerable) == (State.UNPATCHABLE, None)
    assert decide(record) is Reason.UNPATCHABLE
    assert not verdict(IMAGE, world(record, unpatchable="deny")).allowed
    assert decide(record_unpatchable(clean(), attempt(SOURCE), "end of life", NOW)) is Reason.UNPATCHABLE
    assert record_unpatchable(patched(), attempt(SOURCE), "end of life", NOW).approved == X


def test_another_runs_approval_that_came_between_stands_and_ours_is_an_earlier_one() -> None:
    theirs = patched(NOW + hours(1), held=approval("20260509.02", NOW + hours(1)))
    ours, seen, now = approval("20260509", NOW + hours(2)), attempt(SOURCE, NOW, is_vulnerable=True), NOW + hours(2)
    record = record_patched(theirs, seen, ours, "ours", now)
    assert (record.approved, record.earlier, record.message) == (theirs.approved, (ours,), theirs.message)
    for fail in (record_failure, record_pending, record_unpatchable):
        assert fail(theirs, seen, "ours", now) == theirs
    stale_source = record_clean(theirs, attempt(MOVED, NOW, is_vulnerable=False), "ours", now)
    assert (stale_source.source_digest, stale_source.state) == (SOURCE.digest, State.PATCHED)
    assert record_clean(theirs, attempt(SOURCE, NOW, is_vulnerable=False), "ours", now) == theirs, "found vulnerable"
    other = record_refresh(theirs, replace(seen, begun=NOW), X.digest, "", now)
    assert other.approved == theirs.approved


def test_a_line_of_the_articles_script_stays_approved_without_a_gap() -> None:
    line = f"{REPOSITORY}@{digest('old')}  # patched from {IMAGE} on 20260509"
    before = snapshot(image_list(IMAGE), records(digests=[line])).repositories[REPOSITORY].find_record("1.4.2")
    assert before is not None
    for record in (
        record_failure(before, attempt(), "time-out", NOW),
        record_pending(before, attempt(SOURCE, is_vulnerable=True), "no fix", NOW),
        record_patched(before, attempt(SOURCE, is_vulnerable=True), approval("20260509.02"), "", NOW),
    ):
        assert decide(record, f"{REPOSITORY}@{digest('old')}") is Reason.APPROVED
        assert decide(record, f"{REPOSITORY}@{digest('old')}", NOW + hours(25)) is Reason.STALE


def test_fractions_of_seconds_are_let_go_and_messages_are_one_line() -> None:
    now = NOW + timedelta(microseconds=654321)
    seen = attempt(SOURCE, is_vulnerable=True, scanner=Scanner("trivy", "1", NOW - timedelta(microseconds=1)))
    record = record_patched(None, seen, replace(X, verified=now), "first\n  second\x1b[31m" + "x" * 1000, now)
    world(record, now)
    assert record.message.startswith("first second\N{REPLACEMENT CHARACTER}[31mxxx")
    assert len(record.message) == 500


def test_the_digests_kept_of_a_moving_tag_are_the_last_forty() -> None:
    record = None
    for number in range(30):
        seen = attempt(manifest(f"night {number}", AMD64), is_vulnerable=True)
        record = record_pending(record, seen, "no fix yet", NOW)
    assert record is not None
    assert len(record.earlier_sources) == 40
    assert record.earlier_sources[-1] == digest("night 28 linux/amd64")


def test_a_source_that_nobody_described_is_never_approved() -> None:
    with pytest.raises(ValueError, match="nobody has described"):
        record_clean(None, attempt(), "", NOW)


SOURCES = [manifest(f"source {number}", AMD64, ARM64) for number in range(3)]
OUTCOMES = ["clean", "patched", "pending", "unpatchable", "failed early", "failed", "refresh", "refresh earlier"]


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[str, int, int, bool, bool]]:
    """Outcomes: which, of which source, minutes later, with another run's write between, with a stricter threshold."""
    step = st.tuples(
        st.sampled_from(OUTCOMES), st.integers(0, 2), st.integers(0, 30 * 60), st.booleans(), st.booleans()
    )
    return draw(st.lists(step, max_size=12))


def apply(before: Record | None, outcome: str, seen: Attempt, now: datetime) -> Record | None:
    if outcome.startswith("refresh"):
        known = list(before.approvals) if before else []
        held = known[-1 if outcome == "refresh earlier" else 0] if known else None
        return record_refresh(before, replace(seen, source=None), held.digest, "", now) if held else before
    made = {
        "clean": lambda: record_clean(before, replace(seen, is_vulnerable=False), "clean", now),
        "patched": lambda: record_patched(before, seen, approval(f"{now:%Y%m%d%H%M%S}", now), "patched", now),
        "pending": lambda: record_pending(before, seen, "pending", now),
        "unpatchable": lambda: record_unpatchable(before, seen, "unpatchable", now),
        "failed early": lambda: record_failure(before, replace(seen, is_vulnerable=None), "failed", now),
        "failed": lambda: record_failure(before, seen, "failed", now),
    }
    return made[outcome]()


@given(runs())
def test_no_sequence_of_outcomes_loses_a_fresh_approval(steps: list[tuple[str, int, int, bool, bool]]) -> None:
    record: Record | None = None
    now = begun = NOW
    for outcome, source, minutes, is_late, is_strict in steps:
        begun = begun if is_late else now
        now += timedelta(minutes=minutes)
        policy = Policy(severity_threshold=Severity.HIGH if is_strict else Severity.CRITICAL)
        seen = attempt(SOURCES[source], begun, is_vulnerable=True, policy=policy)
        after = apply(record, outcome, seen, now)
        if after is None:
            continue
        gate = world(after, now)
        over = {*after.vulnerable_sources, *(SOURCES[source].digest for _ in [0] if outcome == "unpatchable")}
        kept = {(each.tagged, each.digest) for each in after.approvals}
        for each in list(record.approvals) if record else []:
            is_lost = (each.tagged, each.digest) not in kept
            assert not (is_lost and each.is_fresh(now, policy.stale_after) and each.digest not in over)
        for each in after.approvals:
            if each.is_fresh(now, policy.stale_after) and each.digest not in after.vulnerable_sources:
                assert verdict(f"{REPOSITORY}@{each.digest}", gate, now=now).reason is Reason.APPROVED
        if record:
            assert after.first_seen == record.first_seen
            assert after.updated >= record.updated
            is_clean = outcome == "clean" and after.state is State.CLEAN
            clock, before = after.first_vulnerable, record.first_vulnerable
            assert is_clean or not before or (clock and clock <= before), "a clock goes on, or an older one does"
            assert not clock or clock <= now
        looked_at = {after.source_digest, after.source_platforms.get(AMD64)}
        assert not set(after.earlier_sources) & looked_at
        for digest_found in after.vulnerable_sources:
            assert verdict(f"{REPOSITORY}@{digest_found}", gate, now=now).reason is not Reason.APPROVED
        record = after
