"""Records and approvals: how long an approval is fresh, which digests it names, which are never one."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from patchgate.policy.record import Approval, Record
from tests.world import NOW, clean, digest, hours_ago, patched, records, snapshot
from tests.world import record as json_record

API = "registry.example.com/myapp/api"
KEY = f"{API}:1.4.2"
DAY = timedelta(hours=24)


def read(json: dict[str, object]) -> Record:
    """The record as the reader of the ConfigMap gives it."""
    return snapshot(records({KEY: json})).repositories[API].records[KEY]


def approval(verified: datetime = NOW) -> Approval:
    platforms = {"linux/amd64": digest("amd64"), "linux/arm64": digest("arm64")}
    return Approval(API, "1.4.2-patched-20260509", digest("index"), platforms, verified)


@pytest.mark.parametrize("age", [timedelta(), DAY - timedelta(seconds=1), DAY, -timedelta(minutes=5)])
def test_an_approval_is_fresh_until_it_is_older_than_stale_after(age: timedelta) -> None:
    assert approval(NOW - age).is_fresh(NOW, DAY)


def test_an_approval_is_stale_a_second_later() -> None:
    assert not approval(NOW - DAY - timedelta(seconds=1)).is_fresh(NOW, DAY)


def test_an_approval_names_its_index_and_each_platform() -> None:
    assert approval().digests == {digest("index"), digest("amd64"), digest("arm64")}


def test_an_approval_is_written_as_a_pod_names_it() -> None:
    assert approval().tagged == f"{API}:1.4.2-patched-20260509"
    assert str(approval()) == f"{API}:1.4.2-patched-20260509@{digest('index')}"


def test_the_approval_in_force_comes_before_the_earlier_ones() -> None:
    earlier = {
        "reference": f"{API}:1.4.2-patched-20260501",
        "digest": digest("before"),
        "platforms": {},
        "verified": hours_ago(9),
    }
    both = read(patched(f"{API}:1.4.2-patched-20260509", earlier=[earlier]))
    assert [known.tag for known in both.approvals] == ["1.4.2-patched-20260509", "1.4.2-patched-20260501"]
    only_earlier = read(json_record(earlier=[earlier]))
    assert [known.tag for known in only_earlier.approvals] == ["1.4.2-patched-20260501"]


def test_a_record_without_approval_has_none() -> None:
    assert list(read(json_record()).approvals) == []


def test_every_digest_that_the_tag_has_or_had_is_a_source() -> None:
    known = read(json_record(earlier_sources=[digest("first"), digest("second")]))
    expected = [digest("source"), digest("source-amd64"), digest("first"), digest("second")]
    assert list(known.sources) == expected
    assert list(known.vulnerable_sources) == [*expected[2:], *expected[:2]]


def test_before_the_first_success_there_is_no_source() -> None:
    known = read(json_record(source_digest=None, source_platforms={}))
    assert list(known.sources) == []
    assert list(known.vulnerable_sources) == []


def test_of_a_clean_image_only_its_earlier_sources_are_vulnerable() -> None:
    known = read(clean(KEY, earlier_sources=[digest("first")]))
    assert list(known.vulnerable_sources) == [digest("first")]


def test_a_platform_that_needed_nothing_is_taken_over_into_the_patched_index() -> None:
    taken_over = {"linux/amd64": digest("patched-amd64"), "linux/arm64": digest("source-arm64")}
    known = read(
        patched(
            f"{API}:1.4.2-patched-20260509",
            source_platforms={"linux/amd64": digest("source-amd64"), "linux/arm64": digest("source-arm64")},
            approved_platforms=taken_over,
        )
    )
    assert list(known.vulnerable_sources) == [digest("source"), digest("source-amd64")]


def test_a_platform_of_the_very_index_that_was_found_vulnerable_is_not_taken_over() -> None:
    known = read(clean(KEY, first_vulnerable=hours_ago(1)))
    assert list(known.vulnerable_sources) == [digest("source"), digest("source-amd64")]


def test_the_clock_starts_when_it_was_found_vulnerable_else_when_first_seen() -> None:
    assert read(json_record(first_vulnerable=hours_ago(3))).clock_of(None).since == NOW - timedelta(hours=3)
    assert read(json_record(first_vulnerable=None)).clock_of(None).since == NOW - timedelta(hours=48)


def test_the_clock_of_a_clean_image_starts_when_it_was_last_found_clean() -> None:
    known = read(clean(KEY, verified=hours_ago(5), first_seen=hours_ago(48)))
    assert known.clock_of(None).since == NOW - timedelta(hours=5)


def test_a_record_is_renamed_with_all_its_approvals() -> None:
    known = read(patched(f"{API}:1.4.2-patched-20260509"))
    before = replace(known, earlier=(approval(),))
    renamed = before.rename(lambda repository: repository.replace("registry", "other"))
    assert renamed.key == "other.example.com/myapp/api:1.4.2"
    assert {known.repository for known in renamed.approvals} == {"other.example.com/myapp/api"}
    assert renamed.rename(lambda repository: repository.replace("other", "registry")) == before


def test_a_record_without_approval_is_renamed_too() -> None:
    renamed = read(json_record()).rename(lambda _: "docker.io/library/api")
    assert (renamed.key, renamed.approved) == ("docker.io/library/api:1.4.2", None)
