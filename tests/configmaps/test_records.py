"""Patch records as `records.json` has them: what each field must be, and what stays in force when one is bad."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.policy.part import RecordsPart
from patchgate.policy.record import Approval, State
from patchgate.policy.reference import is_digest
from patchgate.validation import DIGEST_PATTERN
from tests.world import NOW, clean, digest, hours_ago, patched, record, records

API = "registry.example.com/myapp/api:1.4.2"
WORKER = "registry.example.com/myapp/worker:2.1.0"
APPROVED = f"{API}-patched-20260509"
AHEAD = "is ahead of this machine's clock; it is taken for now: correct that clock, or the patcher's"


def read(configmap: ConfigMap, previous: RecordsPart | None = None) -> RecordsPart:
    """Read the ConfigMap at NOW."""
    return read_records(configmap, previous, NOW)


def read_text(text: str, previous: RecordsPart | None = None) -> RecordsPart:
    """Read `records.json` at NOW."""
    return read(ConfigMap("copa-patched-digests", {}, {"records.json": text}), previous)


def say_problems(part: RecordsPart) -> list[str]:
    return [str(problem) for problem in part.problems]


LAST_GOOD = read(records({API: patched(APPROVED)}, generation=4, last_run=hours_ago(5)))


def test_a_record_names_its_approval_by_repository_tag_and_digest() -> None:
    part = read(records({API: patched(APPROVED)}))
    assert part.records[API].approved == Approval(
        repository="registry.example.com/myapp/api",
        tag="1.4.2-patched-20260509",
        digest=digest("patched"),
        platforms={"linux/amd64": digest("patched-amd64")},
        verified=datetime(2026, 5, 9, 11, tzinfo=UTC),
    )
    assert part.records[API].state is State.PATCHED
    assert part.problems == ()


def test_a_record_may_say_only_what_is_known_before_the_first_scan() -> None:
    part = read(records({API: {"state": "failed", "first_seen": hours_ago(1), "updated": hours_ago(1)}}))
    assert part.records[API].source_digest is None
    assert part.records[API].scanner is None
    assert part.problems == ()


def test_fields_that_are_not_known_are_ignored_wherever_they_stand() -> None:
    scanner = {"name": "trivy", "version": "1.0.0", "colour": "green"}
    earlier = [{"reference": API, "digest": digest("old"), "verified": hours_ago(9), "colour": "red"}]
    bare = record(scanner=scanner, earlier=earlier) | {"colour": "blue"}
    part = read(records({API: bare}, colour="grey"))
    assert part.records[API].earlier[0].digest == digest("old")
    assert part.problems == ()


BAD = [
    pytest.param(record(state="done"), "state: has the unknown value 'done'", id="state"),
    pytest.param(record(updated=None), "updated: must be a text in RFC 3339", id="no time"),
    pytest.param(record(updated=1778306692), "updated: must be a text in RFC 3339", id="a number as time"),
    pytest.param(record(updated="1778306692"), "updated: ", id="a number in quotes as time"),
    pytest.param(record(first_seen="2026-05-09T06:00:00"), "first_seen: must be a text in RFC 3339", id="naive"),
    pytest.param(record(first_seen="2026-05-09"), "first_seen: must be a text in RFC 3339", id="a date alone"),
    pytest.param(record(first_seen="2026-02-30T00:00:00Z"), "first_seen: must be a text in RFC 3339", id="30 Feb"),
    pytest.param(record(first_seen="0001-01-01T00:00:00+14:00"), "first_seen: is outside the calendar", id="year 0"),
    pytest.param(
        record(first_vulnerable="9999-12-31T23:59:59-14:00"),
        "first_vulnerable: is outside the calendar",
        id="year 10000",
    ),
    pytest.param(record(source_digest="unknown"), "source_digest: must be sha256: and 64 lower-case", id="no digest"),
    pytest.param(
        record(source_digest=digest("x").upper()), "source_digest: must be sha256: and 64 lower-case", id="upper case"
    ),
    pytest.param(record(source_platforms={"linux/amd64": "x"}), "source_platforms: must be sha256:", id="platform"),
    pytest.param(record(earlier_sources=["x"]), "earlier_sources.0: must be sha256:", id="an earlier source"),
    pytest.param(patched(APPROVED, approved_digest="unknown"), "approved_digest: must be sha256:", id="the article's"),
    pytest.param(record(approved_reference=APPROVED), "an approval needs approved_reference,", id="no digest approved"),
    pytest.param(record(approved_digest=digest("x")), "an approval needs approved_reference,", id="no tag approved"),
    pytest.param(patched(APPROVED) | {"verified": None}, "an approval needs approved_reference,", id="not verified"),
    pytest.param(
        patched("registry.example.com/api"), "'registry.example.com/api' is not REPO:TAG", id="approved no tag"
    ),
    pytest.param(
        patched("no reference"), "'no reference': a repository has lower-case letters", id="approved nonsense"
    ),
    pytest.param(
        record(earlier=[{"reference": "x", "digest": digest("x"), "verified": hours_ago(1)}]),
        "'x' is not REPO:TAG",
        id="an earlier approval without tag",
    ),
    pytest.param(
        record(earlier=[{"reference": API, "digest": digest("x")}]),
        "earlier.0.verified: is missing",
        id="an earlier approval that was not verified",
    ),
    pytest.param(record(fixable_before={"HIGH": -1}), "fixable_before: is too small a number", id="minus one"),
    pytest.param(record(scanner={"name": "trivy"}), "scanner.version: is missing", id="half a scanner"),
    pytest.param({}, "state: is missing", id="empty"),
]


@pytest.mark.parametrize(("bad", "fault"), BAD)
def test_a_bad_record_is_left_out_and_reported_and_the_others_count(bad: dict[str, object], fault: str) -> None:
    part = read(records({API: bad, WORKER: record()}))
    assert list(part.records) == [WORKER]
    (problem,) = say_problems(part)
    assert problem.startswith(f"copa-patched-digests: {API}: {fault}")


@pytest.mark.parametrize(("bad", "fault"), BAD)
def test_of_a_bad_record_the_last_good_one_stays(bad: dict[str, object], fault: str) -> None:
    part = read(records({API: bad}), LAST_GOOD)
    assert part.records == LAST_GOOD.records
    (problem,) = say_problems(part)
    assert fault in problem
    assert problem.endswith("; the last good one stays")


@pytest.mark.parametrize("value", [None, 1, "text", []])
def test_a_record_that_is_no_object_is_left_out(value: object) -> None:
    part = read_text(json.dumps({"schema": 1, "records": {API: value}}))
    assert part.records == {}
    assert [problem.place for problem in part.problems] == [API]


@pytest.mark.parametrize("key", ["", "registry.example.com/api", f"{API}@{digest('x')}", "No Reference", "x" * 5000])
def test_a_key_that_is_not_repo_tag_is_reported_and_cut_to_be_shown(key: str) -> None:
    part = read(records({key: record(), WORKER: record()}), LAST_GOOD)
    assert list(part.records) == [WORKER]
    (problem,) = part.problems
    assert len(problem.place) <= 80
    assert len(problem.reason) < 250


@pytest.mark.parametrize("field", ["first_seen", "first_vulnerable", "patched", "verified", "updated"])
@pytest.mark.parametrize(("seconds", "is_good"), [(299, True), (300, True), (301, False)])
def test_a_time_more_than_five_minutes_ahead_is_taken_for_now_and_reported(
    field: str, seconds: int, *, is_good: bool
) -> None:
    time = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    part = read(records({API: patched(APPROVED) | {field: time}}))
    assert getattr(part.records[API], field) == (NOW + timedelta(seconds=seconds) if is_good else NOW)
    assert say_problems(part) == ([] if is_good else [f"copa-patched-digests: {API}: {field}: {time} {AHEAD}"])


def test_a_time_ahead_stays_what_it_was_first_taken_for_until_the_clock_has_caught_up() -> None:
    configmap = records({API: patched(APPROVED, verified=hours_ago(-10))})
    first = read(configmap)
    later = read_records(configmap, first, NOW + timedelta(hours=5))
    assert later.records[API].verified == NOW
    assert len(later.problems) == 1
    caught_up = read_records(configmap, later, NOW + timedelta(hours=10))
    assert (caught_up.records[API].verified, caught_up.problems) == (NOW + timedelta(hours=10), ())


def test_the_times_of_scanner_and_earlier_approvals_may_not_be_ahead_either() -> None:
    ahead = hours_ago(-1)
    part = read(
        records(
            {
                API: record(scanner={"name": "trivy", "version": "1", "database": ahead}),
                WORKER: record(earlier=[{"reference": WORKER, "digest": digest("x"), "verified": ahead}]),
            }
        )
    )
    assert [problem.reason.partition(":")[0] for problem in part.problems] == ["database", "verified"]
    assert [approval.verified for approval in part.records[WORKER].earlier] == [NOW]


def test_a_time_of_another_zone_is_the_same_moment_in_utc() -> None:
    part = read(records({API: record(updated="2026-05-09T13:00:00+02:00")}))
    assert part.records[API].updated == datetime(2026, 5, 9, 11, tzinfo=UTC)
    assert part.records[API].updated.tzinfo is UTC


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_keys_that_name_the_same_image_the_newest_wins_whole(*, is_first: bool) -> None:
    newer = ("docker.io/library/nginx:1.25", clean("nginx:1.25", updated=hours_ago(1)))
    older = ("nginx:1.25", patched("nginx:1.25-patched-20260508", updated=hours_ago(2)))
    part = read(records(dict([newer, older] if is_first else [older, newer])))
    assert list(part.records) == ["docker.io/library/nginx:1.25"]
    assert part.records["docker.io/library/nginx:1.25"].state is State.CLEAN


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "is not to be read (is no JSON: Expecting property name enclosed in double quotes: line 1 column 2"),
        (
            '{"schema": 1, "records": {',
            "is not to be read (is no JSON: Expecting property name enclosed in double quotes: line 1 column 27",
        ),
        ("[]", "is not to be read (must be an object)"),
        ("[" * 100_000, "is not to be read (is no JSON: maximum recursion depth"),
        ('{"records": {}}', "is not to be read (schema: is missing)"),
        ('{"schema": "one"}', "is not to be read (schema: must be a number"),
        ('{"schema": 1, "records": []}', "is not to be read (records: must be an object)"),
        ('{"schema": 1, "generation": -1}', "is not to be read (generation: is too small a number"),
        ('{"schema": 2, "records": {}}', "has schema 2, known is 1: update the gate"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole_and_the_last_good_one_stays(text: str, fault: str) -> None:
    (first,) = read_text(text).problems
    assert first.place == "records.json"
    assert first.reason.startswith(fault)
    assert first.reason.endswith("; nothing of it counts")
    kept = read_text(text, LAST_GOOD)
    assert (kept.records, kept.generation, kept.last_run) == (LAST_GOOD.records, 4, LAST_GOOD.last_run)
    assert [problem.reason for problem in kept.problems] == [
        first.reason.replace("nothing of it counts", "the last good one stays in force")
    ]


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_file_emptied_while_running_keeps_the_last_good_one(text: str) -> None:
    part = read_text(text, LAST_GOOD)
    assert part.records == LAST_GOOD.records
    assert say_problems(part) == ["copa-patched-digests: records.json: is empty now; the last good one stays in force"]


def test_an_empty_configmap_is_valid_at_the_start_and_may_stay_so() -> None:
    part = read(ConfigMap("copa-patched-digests-3", {}, {}))
    assert part == RecordsPart("copa-patched-digests-3", {}, {}, 0, None, ())
    assert read_text("", part).problems == ()


def test_a_lower_generation_is_shown_and_refuses_nothing_and_a_record_that_is_gone_is_gone() -> None:
    part = read(records({WORKER: record()}, generation=3), LAST_GOOD)
    assert (part.generation, list(part.records)) == (3, [WORKER])


@pytest.mark.parametrize(
    ("last_run", "fault"),
    [
        ("yesterday", "must be a text in RFC 3339, such as 2026-05-09T06:04:52Z"),
        (5, "must be a text in RFC 3339, such as 2026-05-09T06:04:52Z"),
    ],
)
def test_a_bad_last_run_is_reported_and_the_last_good_one_stays(last_run: object, fault: str) -> None:
    text = json.dumps({"schema": 1, "last_run": last_run, "records": {WORKER: record()}})
    part = read_text(text, LAST_GOOD)
    assert part.last_run == datetime(2026, 5, 9, 7, tzinfo=UTC)
    assert list(part.records) == [WORKER]
    assert say_problems(part) == [f"copa-patched-digests: last_run: {fault}"]


def test_a_bad_last_run_at_the_start_is_none() -> None:
    assert read(records(last_run="yesterday")).last_run is None


def test_a_last_run_ahead_is_taken_for_now() -> None:
    part = read(records(last_run=hours_ago(-1)))
    assert (part.last_run, say_problems(part)) == (
        NOW,
        [f"copa-patched-digests: last_run: 2026-05-09T13:00:00Z {AHEAD}"],
    )


def test_a_number_that_was_written_as_a_text_counts_as_one() -> None:
    part = read_text(json.dumps({"schema": "1", "generation": "3", "records": {WORKER: record()}}))
    assert (part.generation, list(part.records), part.problems) == (3, [WORKER], ())


def test_a_record_whose_text_is_as_it_was_is_not_read_again_and_one_that_changed_is() -> None:
    before = read(records({WORKER: record(), API: record()}))
    after = read(records({WORKER: record(), API: record(message="another")}), before)
    assert after.records[WORKER] is before.records[WORKER]
    assert after.records[API].message == "another"


def test_a_record_that_broke_and_is_mended_is_read_again() -> None:
    good = read(records({WORKER: record()}))
    broken = read(records({WORKER: record(updated="yesterday")}), good)
    assert (broken.records[WORKER] is good.records[WORKER], len(broken.problems)) == (True, 1)
    assert len(read(records({WORKER: record(updated="yesterday")}), broken).problems) == 1
    mended = read(records({WORKER: record()}), broken)
    assert (mended.records, mended.problems) == (good.records, ())


def test_a_generation_that_nothing_can_hold_refuses_the_file_whole() -> None:
    part = read_text(f'{{"schema": 1, "generation": 1{"0" * 400}, "records": {{}}}}', LAST_GOOD)
    assert (part.generation, len(part.problems)) == (4, 1)


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "sha1", "md5", "SHA256", ""])
@pytest.mark.parametrize("digits", [40, 63, 64, 65, 96, 128])
@pytest.mark.parametrize("end", ["", "\n", " "])
def test_a_digest_is_what_a_reference_takes_for_one(algorithm: str, digits: int, end: str) -> None:
    text = f"{algorithm}:{'a' * digits}{end}"
    assert bool(re.search(DIGEST_PATTERN, text)) == is_digest(text)
    part = read(records({API: record(source_digest=text)}))
    assert (API in part.records) == is_digest(text)
