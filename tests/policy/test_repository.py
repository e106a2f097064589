"""Repositories: what a list, records and approvals come to, by tag and by digest."""

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.repository import Repository
from patchgate.policy.verdict import Reason
from tests.world import (
    NOW,
    clean,
    digest,
    hours_ago,
    image_list,
    patched,
    record,
    records,
    snapshot,
    team_list,
    verdict,
)

API = "registry.example.com/myapp/api"


def repository(*configmaps: ConfigMap) -> Repository:
    """What a snapshot of the ConfigMaps knows of API."""
    return snapshot(*configmaps).repositories[API]


def test_the_hundred_and_first_pattern_of_a_repository_does_not_count_and_is_reported() -> None:
    found = repository(image_list(*(f"{API}:{n}.*" for n in range(101))))
    assert found.find_line("99.1")
    assert found.find_line("100.1") is None
    assert [(each.place, each.reason) for each in found.problems] == [
        ("line 101", "one repository has at most 100 patterns; this one does not count")
    ]


def test_a_listed_tag_is_found_by_name_before_any_pattern() -> None:
    found = repository(image_list(f"{API}:1.*", f"{API}:1.4.2", f"{API}:*"))
    assert [
        line.number for line in (found.find_line("1.4.2"), found.find_line("1.5"), found.find_line("2")) if line
    ] == [
        2,
        1,
        3,
    ]


def test_a_tag_that_no_line_lists_is_not_found() -> None:
    found = repository(image_list(f"{API}:1.*", f"{API}:1.4.2"))
    assert found.find_line("2.0") is None
    assert repository(image_list(f"{API}:1.4.2")).find_line("2.0") is None
    assert found.find_line("1.4.2-patched-20260509") is None


def test_a_pattern_past_the_hundredth_does_not_count_and_is_reported() -> None:
    found = repository(image_list(*(f"{API}:{number}.*" for number in range(101))))
    assert found.find_line("99.1")
    assert found.find_line("100.1") is None
    assert [str(problem) for problem in found.problems] == [
        "copa-image-list: line 101: one repository has at most 100 patterns; this one does not count"
    ]


def test_of_two_lines_of_one_tag_the_first_counts_and_the_other_is_reported() -> None:
    lists = image_list(f"{API}:1@{digest('a')}", f"{API}:1@{digest('b')}"), team_list(f"{API}:1")
    found = repository(*lists)
    assert found.lines["1"].digest == digest("a")
    assert list(map(str, found.problems)) == [
        f"copa-image-list: line 2: {API}:1 stands with another digest in copa-image-list, line 1, and the first counts",
        f"team-images: line 1: {API}:1 stands with another digest in copa-image-list, line 1, and the first counts",
    ]


def test_equal_lines_of_several_lists_are_no_problem() -> None:
    found = repository(image_list(f"{API}:1", f"{API}:2.*"), team_list(f"{API}:1", f"{API}:2.*"))
    assert found.problems == ()
    assert (found.lines["1"].configmap, found.find_line("2.1")) == ("copa-image-list", found.patterns[0])


def test_the_main_list_comes_first_whatever_a_labelled_one_is_called() -> None:
    found = repository(team_list(f"{API}:1@{digest('a')}", name="a-team"), image_list(f"{API}:1@{digest('b')}"))
    assert found.lines["1"].digest == digest("b")


def test_of_two_names_of_a_registry_too_the_first_line_counts() -> None:
    lines = [f"{API}:0", f"mirror.example.com/myapp/api:1@{digest('second')}", f"{API}:1@{digest('third')}"]
    found = repository(image_list(*lines, mirrors="mirror.example.com = registry.example.com"))
    assert found.lines["1"].digest == digest("second")


def test_only_a_repository_of_labelled_lists_alone_is_listed_by_strangers() -> None:
    assert repository(team_list(f"{API}:1")).is_listed_by_strangers
    assert repository(image_list("nginx:1"), team_list(f"{API}:1")).is_listed_by_strangers
    assert not repository(image_list(f"{API}:2"), team_list(f"{API}:1")).is_listed_by_strangers
    assert not repository(records({f"{API}:1": clean(f"{API}:1")})).is_listed_by_strangers


def test_records_alone_do_not_track_a_repository_but_an_approval_does() -> None:
    assert not repository(records({f"{API}:1": record()})).is_tracked
    assert repository(records({f"{API}:1": clean(f"{API}:1")})).is_tracked
    assert repository(team_list(f"{API}:1")).is_tracked


def test_approvals_are_found_by_tag_and_by_the_digest_of_index_and_platform() -> None:
    found = repository(records({f"{API}:1": patched(f"{API}:1-patched-20260509")}))
    assert set(found.approvals_by_tag) == {"1-patched-20260509"}
    assert set(found.approvals_by_digest) == {digest("patched"), digest("patched-amd64")}


def test_an_approval_counts_in_the_repository_that_it_names_alone() -> None:
    target = "registry.example.com/patched/api"
    known = snapshot(records({f"{API}:1": patched(f"{target}:1-patched-20260509")})).repositories
    assert known[API].approvals_by_digest == {}
    assert set(known[target].approvals_by_digest) == {digest("patched"), digest("patched-amd64")}
    assert set(known[target].records) == {f"{API}:1"}
    assert known[target].sources == {}


@pytest.mark.parametrize("order", [1, -1], ids=["older first", "newer first"])
def test_of_two_approvals_of_one_digest_the_freshest_counts(order: int) -> None:
    older = {
        "reference": f"{API}:1-patched-20260508",
        "digest": digest("patched"),
        "platforms": {},
        "verified": hours_ago(30),
    }
    by_key = {
        f"{API}:1": record(earlier=[older]),
        f"{API}:2": patched(f"{API}:2-patched-20260509", source_digest=digest("2"), source_platforms={}),
    }
    found = repository(records(dict(list(by_key.items())[::order])))
    assert found.approvals_by_digest[digest("patched")].tag == "2-patched-20260509"


def test_of_two_approvals_as_fresh_the_same_counts_in_whatever_order_they_came() -> None:
    first, second = (
        records({f"{API}:{tag}": clean(f"{API}:{tag}")}, name=name)
        for tag, name in (("1", "copa-patched-digests"), ("2", "copa-patched-digests-1"))
    )
    one_way = snapshot(second, previous=snapshot(first))
    other_way = snapshot(first, previous=snapshot(second))
    assert one_way.repositories == other_way.repositories


def test_a_source_found_vulnerable_is_never_an_approval() -> None:
    by_key = {f"{API}:1": clean(f"{API}:1"), f"{API}:1.0": record()}
    found = repository(records(by_key))
    assert (found.approvals_by_tag, found.approvals_by_digest) == ({}, {})
    assert found.is_tracked


def test_an_earlier_source_is_never_an_approval() -> None:
    by_key = {
        f"{API}:1": clean(f"{API}:1", source_digest=digest("new"), earlier_sources=[digest("source")]),
    }
    assert repository(records(by_key)).approvals_by_digest == {}


def test_a_vulnerable_platform_takes_only_itself_out_of_an_approval() -> None:
    by_key = {
        f"{API}:1": patched(f"{API}:1-patched-20260509", approved_platforms={"linux/arm64": digest("arm64")}),
        f"{API}:2": record(source_digest=digest("arm64"), source_platforms={}),
    }
    assert set(repository(records(by_key)).approvals_by_digest) == {digest("patched")}


def test_of_a_digest_with_several_tags_the_clock_that_started_first_comes_first() -> None:
    by_key = {
        f"{API}:late": record(first_vulnerable=hours_ago(1)),
        f"{API}:early": record(first_vulnerable=hours_ago(20)),
        f"{API}:approved": patched(f"{API}:approved-patched-20260509", first_vulnerable=hours_ago(0)),
    }
    found = repository(records(by_key))
    assert list(found.tags_of_source(digest("source"))) == ["early", "late", "approved"]
    assert list(found.tags_of_source(digest("unknown"))) == []


def test_one_digest_twice_in_a_record_is_one_source() -> None:
    found = repository(records({f"{API}:1": record(source_platforms={"linux/amd64": digest("source")})}))
    assert list(found.tags_of_source(digest("source"))) == ["1"]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([f"{API}:1"], Reason.UNLISTED),
        ([f"{API}:*"], Reason.UNLISTED),
        ([f"{API}:1@{digest('source')}"], Reason.UNLISTED),
        ([f"{API}:1@{digest('earlier')}"], Reason.UNLISTED),
        ([f"{API}:1", f"{API}:2"], Reason.UNSCANNED),
        ([f"{API}:1", f"{API}:2.*"], Reason.UNSCANNED),
        ([f"{API}:1@{digest('other')}"], Reason.UNLISTED),
    ],
)
def test_an_unknown_digest_is_unscanned_while_some_line_lacks_its_record(lines: list[str], reason: Reason) -> None:
    snap = snapshot(image_list(*lines), records({f"{API}:1": record(earlier_sources=[digest("earlier")])}))
    assert verdict(f"{API}@{digest('unknown')}", snap).reason is reason


def test_before_the_first_success_a_pinned_line_has_its_record() -> None:
    failed = record(state="failed", source_digest=None, source_platforms={})
    found = repository(image_list(f"{API}:1@{digest('other')}"), records({f"{API}:1": failed}))
    assert not found.has_line_without_record


def test_a_record_is_found_by_its_tag_in_its_own_repository() -> None:
    found = repository(records({f"{API}:1": record()}, last_run=None))
    known = found.find_record("1")
    assert (known and known.first_seen, found.find_record("2")) == (NOW.replace(day=7), None)
