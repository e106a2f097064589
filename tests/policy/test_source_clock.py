"""The clock of a source: since when its SLA runs and when it was first patched, wherever its tag has moved since."""

from datetime import timedelta

from patchgate.policy.case import Asker
from patchgate.policy.explain import explain
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason
from patchgate.policy.workload import Image
from tests.world import NOW, clean, digest, hours_ago, image_list, patched, record, records, snapshot, verdict

REPOSITORY = "registry.example.com/myapp/api"
TAG = f"{REPOSITORY}:1"
PATCHED_TAG = f"{TAG}-patched-20260509"
OLD = digest("old")
BY_OLD = f"{REPOSITORY}@{OLD}"


def world(held: dict[str, object], **policy: str) -> Snapshot:
    return snapshot(image_list(TAG, **policy), records({TAG: held}))


def clocks(since: float, patched: float | None = None) -> list[dict[str, object]]:
    known = {"since": hours_ago(since), "patched": None if patched is None else hours_ago(patched)}
    return [known | {"sources": [OLD.removeprefix("sha256:")[:12]]}]


def test_an_earlier_source_has_its_own_sla() -> None:
    pending = record(earlier_sources=[OLD], earlier_clocks=clocks(30), first_vulnerable=hours_ago(1))
    assert verdict(BY_OLD, world(pending)).reason is Reason.SLA_BREACHED
    assert verdict(TAG, world(pending)).reason is Reason.WITHIN_SLA


def test_an_earlier_source_of_an_older_patcher_has_the_clock_of_its_record() -> None:
    assert verdict(BY_OLD, world(record(earlier_sources=[OLD]))).reason is Reason.WITHIN_SLA


def test_an_earlier_source_that_was_patched_stays_refused_though_that_patch_is_found_vulnerable() -> None:
    pending = record(earlier_sources=[OLD], earlier_clocks=clocks(2, patched=1))
    refused = verdict(BY_OLD, world(pending))
    assert (refused.allowed, refused.reason) == (False, Reason.PATCH_AVAILABLE)
    assert refused.text == "was patched, but the patched image was found vulnerable since"


def test_the_grace_of_a_source_runs_from_its_first_patch() -> None:
    again = patched(PATCHED_TAG, patched=hours_ago(1), first_patched=hours_ago(30), earlier_sources=[OLD])
    assert not verdict(TAG, world(again), is_controller=True).allowed
    assert verdict(TAG, world(again | {"first_patched": None}), is_controller=True).allowed
    old = again | {"first_patched": hours_ago(1), "earlier_clocks": clocks(40, patched=40)}
    assert not verdict(BY_OLD, world(old), is_controller=True).allowed
    assert verdict(BY_OLD, world(old | {"earlier_clocks": clocks(40, patched=20)}), is_controller=True).allowed


def test_only_platforms_with_findings_are_vulnerable() -> None:
    held = patched(PATCHED_TAG, vulnerable_platforms=[], source_platforms={"linux/arm64": digest("shared")})
    other = clean(f"{REPOSITORY}:2", source_digest=digest("shared"), approved_digest=digest("shared"))
    lines = image_list(TAG, f"{REPOSITORY}:2")
    both = snapshot(lines, records({TAG: held, f"{REPOSITORY}:2": other}))
    assert verdict(f"{REPOSITORY}:2", both).reason is Reason.APPROVED
    held["vulnerable_platforms"] = ["linux/arm64"]
    both = snapshot(lines, records({TAG: held, f"{REPOSITORY}:2": other}))
    assert verdict(f"{REPOSITORY}:2", both).reason is Reason.WITHIN_SLA


def test_what_is_unpatchable_is_not_where_a_node_may_hold_what_was_vulnerable() -> None:
    held = world(record(state="unpatchable", first_vulnerable=None, earlier_sources=[OLD], earlier_clocks=clocks(30)))
    assert verdict(BY_OLD, held).reason is Reason.SLA_BREACHED
    assert verdict(TAG, held).reason is Reason.CACHED_COPY
    assert verdict(TAG, held, pull_policy="Always").reason is Reason.UNPATCHABLE
    assert verdict(f"{REPOSITORY}@{digest('source')}", held).reason is Reason.UNPATCHABLE


def test_a_pinned_digest_that_a_run_has_tried_is_not_unscanned_any_more() -> None:
    pinned = image_list(f"{TAG}@{OLD}")
    assert verdict(BY_OLD, snapshot(pinned, records({TAG: record()}))).reason is Reason.UNSCANNED
    assert verdict(BY_OLD, snapshot(pinned, records({TAG: record(tried=OLD)}))).reason is Reason.WITHIN_SLA


PATTERN = f"{REPOSITORY}:9.*"
NINE = f"{REPOSITORY}:9.1"
UNKNOWN = f"{REPOSITORY}@{digest('unknown')}"


def noted(state: str, hours: float = 1, *lines: str) -> Snapshot:
    note = {"state": state, "since": hours_ago(hours), "message": "stands for nothing"}
    return snapshot(image_list(PATTERN, TAG, *lines), records({TAG: record()}, lines={PATTERN: note}))


def test_a_line_that_a_run_could_make_nothing_of_lists_nothing() -> None:
    for state in ("empty", "refused"):
        assert verdict(UNKNOWN, noted(state)).reason is Reason.UNLISTED
        refused = verdict(NINE, noted(state))
        assert refused.reason is Reason.UNLISTED
        assert refused.text == "the line that lists it (copa-image-list, line 1) lists nothing: stands for nothing"
    assert verdict(NINE, noted("refused", 1, f"{REPOSITORY}:9.1*")).reason is Reason.UNSCANNED, "another line lists it"


def test_a_line_whose_registry_fails_has_the_time_of_an_sla() -> None:
    for image in (NINE, UNKNOWN):
        assert verdict(image, noted("failed", 24)).reason is Reason.UNSCANNED
        assert verdict(image, noted("failed", 24.1)).reason is Reason.UNLISTED


def test_an_explanation_says_why_a_line_lists_nothing() -> None:
    rows = explain(Image(NINE), noted("empty"), Asker(), NOW).rows
    assert "the line that lists it lists nothing: stands for nothing" in [row.why for row in rows]


def test_a_new_note_changes_the_snapshot_and_one_that_goes_changes_it_back() -> None:
    before = snapshot(image_list(PATTERN, TAG), records({TAG: record()}))
    after = snapshot(
        records({TAG: record()}, lines={PATTERN: {"state": "empty", "since": hours_ago(1)}}), previous=before
    )
    assert verdict(UNKNOWN, after).reason is Reason.UNLISTED
    assert verdict(UNKNOWN, snapshot(records({TAG: record()}), previous=after)).reason is Reason.UNSCANNED


def test_a_note_counts_under_the_registrys_own_name() -> None:
    mirrored = "mirror.example.com/myapp/api:9.*"
    held = records({}, lines={mirrored: {"state": "empty", "since": hours_ago(1)}})
    world = snapshot(image_list(PATTERN, mirrors="mirror.example.com = registry.example.com"), held)
    assert verdict(UNKNOWN, world).reason is Reason.UNLISTED


def test_the_sla_of_an_image_that_was_once_patched_is_over() -> None:
    pending = record(first_patched=hours_ago(1), patched=hours_ago(1))
    assert verdict(TAG, world(pending)).reason is Reason.PATCH_AVAILABLE
    assert not verdict(TAG, world(pending), now=NOW + timedelta(hours=1)).allowed


def test_a_line_with_the_tag_of_a_signature_or_of_the_patcher_lists_nothing() -> None:
    for tag in (f"sha256-{'0' * 64}.sig", "1-patched-20260101"):
        held = snapshot(image_list(TAG, f"{REPOSITORY}:{tag}"), records({TAG: record()}))
        assert verdict(f"{REPOSITORY}:{tag}", held).reason is Reason.UNLISTED
        assert verdict(UNKNOWN, held).reason is Reason.UNLISTED
        assert [problem.place for problem in held.list_problems(NOW)] == ["line 2"]
