"""Snapshots: a change touches what it names and nothing else, and comes to the same as reading everything anew."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.policy import Policy
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason
from tests.world import (
    NOW,
    clean,
    digest,
    exceptions,
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
NGINX = "docker.io/library/nginx"
TARGET = "registry.example.com/patched/nginx"
EXCEPTION = "- {image: 'docker.io/**', reason: r, owner: o, expires: 2026-06-01T00:00:00Z}\n"
SECOND = "copa-patched-digests-1"


def line(repository: str, seed: str, image: str, date: str = "20260509") -> str:
    """A line of the article's script."""
    return f"{repository}@{digest(seed)}  # patched from {image} on {date}"


def test_a_change_of_records_indexes_only_the_repositories_that_they_touch() -> None:
    before = snapshot(image_list(f"{API}:1", "nginx:1", "redis:7"), records({f"{API}:1": record()}))
    after = snapshot(records({f"{API}:1": clean(f"{API}:1")}), previous=before)
    kept = {name for name, repository in after.repositories.items() if repository is before.repositories[name]}
    assert kept == {NGINX, "docker.io/library/redis"}
    assert set(after.repositories) == {*kept, API}


def test_a_change_of_one_list_indexes_only_what_it_named_or_names() -> None:
    before = snapshot(image_list(f"{API}:1", "nginx:1"), team_list("redis:7"), records({f"{API}:1": record()}))
    after = snapshot(team_list("nginx:2"), previous=before)
    assert after.repositories[API] is before.repositories[API]
    assert after.repositories[NGINX] is not before.repositories[NGINX]
    assert "docker.io/library/redis" not in after.repositories


def test_a_change_of_exceptions_touches_no_repository() -> None:
    before = snapshot(image_list(f"{API}:1"), team_list("nginx:1"), records({f"{API}:1": record()}))
    after = snapshot(exceptions(EXCEPTION), previous=before)
    kept = [name for name, repository in after.repositories.items() if repository is before.repositories[name]]
    assert sorted(kept) == [NGINX, API]
    assert after.canonical_parts["copa-patched-digests"] is before.canonical_parts["copa-patched-digests"]
    assert (len(before.exceptions.by_registry), len(after.exceptions.by_registry)) == (0, 1)


def test_a_change_of_the_policy_touches_no_repository_of_another_list() -> None:
    before = snapshot(image_list(f"{API}:1"), team_list("nginx:1"), records({"nginx:1": record()}))
    after = snapshot(image_list(f"{API}:1", unlisted="warn"), previous=before)
    assert after.repositories[NGINX] is before.repositories[NGINX]
    assert verdict(f"{API}:9", before).allowed is False
    assert verdict(f"{API}:9", after).allowed is True


def test_other_mirrors_index_everything_anew() -> None:
    before = snapshot(image_list("mirror.example.com/library/nginx:1"), team_list(f"{API}:1"))
    mirrored = image_list("mirror.example.com/library/nginx:1", mirrors="mirror.example.com = docker.io")
    after = snapshot(mirrored, previous=before)
    assert set(after.repositories) == {NGINX, API}
    assert after.repositories[API] is not before.repositories[API]
    assert verdict("mirror.example.com/nginx:9", after).reason is Reason.UNLISTED


@pytest.mark.parametrize("newest", ["copa-patched-digests", SECOND])
def test_of_one_reference_in_two_configmaps_the_newest_wins_whole(newest: str) -> None:
    oldest = {"copa-patched-digests": SECOND, SECOND: "copa-patched-digests"}[newest]
    older = patched(f"{TARGET}:1-patched-20260508", updated=hours_ago(2))
    newer = record(source_digest=digest("moved"), updated=hours_ago(1))
    snap = snapshot(image_list("nginx:1"), records({"nginx:1": newer}, name=newest))
    snap = snapshot(records({f"{NGINX}:1": older}, name=oldest), previous=snap)
    assert set(snap.repositories) == {NGINX}
    assert set(snap.repositories[NGINX].sources) == {digest("moved"), digest("source-amd64")}


def test_what_the_newest_record_overruled_comes_back_when_it_goes() -> None:
    older = records({"nginx:1": patched(f"{TARGET}:1-patched-20260508", updated=hours_ago(2))})
    newer = records({"nginx:1": record(updated=hours_ago(1)), "redis:7": record()}, name=SECOND)
    both = snapshot(image_list("nginx:1"), older, newer)
    assert TARGET not in both.repositories
    moved = snapshot(records({"redis:7": record()}, name=SECOND), previous=both)
    assert set(moved.repositories[TARGET].approvals_by_tag) == {"1-patched-20260508"}


def test_an_approval_moves_with_its_record_to_another_repository() -> None:
    before = snapshot(image_list("nginx:1"), records({"nginx:1": patched(f"{TARGET}:1-patched-20260508")}))
    after = snapshot(records({"nginx:1": patched(f"{NGINX}:1-patched-20260509")}), previous=before)
    assert set(after.repositories) == {NGINX}
    assert set(after.repositories[NGINX].approvals_by_tag) == {"1-patched-20260509"}


@pytest.mark.parametrize("order", [1, -1], ids=["newest first", "newest last"])
def test_under_two_names_of_a_registry_too_the_newest_record_wins(order: int) -> None:
    newest = record(source_digest=digest("newest"), source_platforms={}, updated=hours_ago(1))
    oldest = record(source_digest=digest("oldest"), source_platforms={}, updated=hours_ago(2))
    by_key = {f"{NGINX}:1": newest, "mirror.example.com/library/nginx:1": oldest}
    listed = image_list("nginx:1", mirrors="mirror.example.com = docker.io")
    snap = snapshot(listed, records(dict(list(by_key.items())[::order])))
    assert set(snap.repositories[NGINX].sources) == {digest("newest")}


def test_a_line_of_digests_counts_while_no_configmap_has_a_record() -> None:
    lines = [line(API, "article", f"{API}:1")]
    before = snapshot(image_list(f"{API}:1"), records(digests=lines))
    assert set(before.repositories[API].approvals_by_tag) == {"1-patched-20260509"}
    after = snapshot(records({f"{API}:1": record(updated=hours_ago(500))}, name=SECOND), previous=before)
    assert after.repositories[API].approvals_by_tag == {}
    again = snapshot(records({f"{API}:2": record()}, name=SECOND), previous=after)
    assert set(again.repositories[API].approvals_by_tag) == {"1-patched-20260509"}


def test_a_labelled_list_goes_with_its_configmap() -> None:
    before = snapshot(image_list(f"{API}:1"), team_list("nginx:1"))
    after = snapshot(previous=before, deleted=["team-images"])
    assert set(after.repositories) == {API}
    assert verdict("nginx:9", after).reason is Reason.NOT_TRACKED


def test_a_list_that_goes_leaves_what_others_name() -> None:
    configmaps = image_list("nginx:1"), team_list("nginx:2"), records({"nginx:2": record()})
    after = snapshot(previous=snapshot(*configmaps), deleted=["team-images"])
    assert set(after.repositories[NGINX].lines) == {"1"}
    assert set(after.repositories[NGINX].records) == {f"{NGINX}:2"}
    unnamed = snapshot(previous=snapshot(image_list(f"{API}:1"), *configmaps[1:]), deleted=["team-images"])
    assert unnamed.find_repository(NGINX) is None


def test_a_record_without_approval_of_an_image_that_no_list_names_tracks_nothing() -> None:
    snap = snapshot(image_list(f"{API}:1"), records({"nginx:1": record()}))
    assert verdict("nginx:1", snap).reason is Reason.NOT_TRACKED
    assert [repository.name for repository in snap.tracked] == [API]


def test_a_snapshot_is_complete_once_the_main_list_is_read() -> None:
    assert not snapshot().is_complete
    assert not snapshot(team_list(f"{API}:1"), records(), exceptions("")).is_complete
    assert snapshot(image_list()).is_complete
    assert snapshot(team_list(f"{API}:1")).policy == Policy()


def test_the_last_run_and_generation_are_the_highest_of_all() -> None:
    none = snapshot(records(last_run=None, generation=3), image_list())
    assert (none.last_run, none.generation) == (None, 3)
    two = snapshot(records(last_run=hours_ago(5), generation=2, name=SECOND), previous=none)
    assert (two.last_run, two.generation) == (NOW - timedelta(hours=5), 3)
    three = snapshot(records(last_run=hours_ago(2), generation=9), previous=two)
    assert (three.last_run, three.generation) == (NOW - timedelta(hours=2), 9)
    assert (snapshot().last_run, snapshot().generation) == (None, 0)


def test_every_problem_is_listed_with_its_place() -> None:
    listed = image_list("NGINX:1", f"{API}:1@{digest('a')}", f"{API}:1", unlisted="maybe")
    snap = snapshot(listed, records({"nginx": record()}), exceptions("- {image: nginx}"))
    assert [(problem.configmap, problem.place) for problem in snap.list_problems(NOW)] == [
        ("copa-image-list", "line 1"),
        ("copa-image-list", "unlisted"),
        ("copa-exceptions", "entry 1"),
        ("copa-patched-digests", "nginx"),
        ("copa-image-list", "line 3"),
    ]


def test_a_record_has_the_freshest_approval_that_still_holds() -> None:
    earlier = {"reference": f"{API}:1-p", "digest": digest("p"), "platforms": {}, "verified": hours_ago(3)}
    snap = snapshot(image_list(f"{API}:1"), records({f"{API}:1": patched(f"{API}:1-q", earlier=[earlier])}))
    (known,) = snap.repositories[API].records.values()
    found = [snap.find_fresh_approval(known, NOW + timedelta(hours=hours)) for hours in (0, 23, 24)]
    assert [approval and approval.tag for approval in found] == ["1-q", "1-q", None]
    assert snap.has_approval(known)
    assert not snapshot().has_approval(known)
    assert snapshot().find_fresh_approval(known, NOW) is None


KEYS = [f"{API}:1", f"{API}:2", "nginx:1", "mirror.example.com/library/nginx:1", "redis:7"]


def make_record(key: str, variant: int) -> dict[str, object]:
    """One of several records of a key; no two keys' approvals are verified at the same time."""
    repository, _, tag = key.rpartition(":")
    times = {"verified": hours_ago(KEYS.index(key) + 1), "updated": hours_ago(variant % 3)}
    earlier = {
        "reference": f"{repository}:{tag}-e",
        "digest": digest("patched"),
        "platforms": {},
        "verified": hours_ago(10 + KEYS.index(key)),
    }
    match variant:
        case 0:
            return record(source_digest=digest(key), updated=hours_ago(0))
        case 1:
            return record(first_vulnerable=None, earlier=[earlier], earlier_sources=[digest("moved")])
        case 2:
            return clean(f"{repository}:{tag}", **times)
        case 3:
            return patched(f"{TARGET}:{tag}-patched", **times)
        case _:
            return patched(f"{repository}:{tag}-patched", **times, earlier=[earlier], source_digest=digest("moved"))


LISTS = st.lists(st.sampled_from([*KEYS, f"{API}:*", f"{API}:1@{digest('source')}", "docker.io/nginx:2"]), max_size=4)
NAMINGS = [
    {},
    {"mirrors": "mirror.example.com = docker.io"},
    {"push_to": "docker.io/library = registry.example.com/patched"},
]
DIGESTS = st.lists(st.sampled_from([line(key.rpartition(":")[0], key, key) for key in KEYS]), max_size=3)
RECORDS = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 4), max_size=4).map(
    lambda chosen: {key: make_record(key, variant) for key, variant in chosen.items()}
)
CHANGES: st.SearchStrategy[ConfigMap | str] = st.one_of(
    st.builds(lambda lines, naming: image_list(*lines, **naming), LISTS, st.sampled_from(NAMINGS)),
    st.builds(lambda lines, name: team_list(*lines, name=name), LISTS, st.sampled_from(["a-team", "z-team"])),
    st.builds(
        lambda by_key, name, lines: records(by_key, name=name, digests=lines),
        RECORDS,
        st.sampled_from(["copa-patched-digests", SECOND]),
        DIGESTS,
    ),
    st.sampled_from([exceptions(EXCEPTION), exceptions("")]),
    st.sampled_from(["a-team", "z-team", "copa-image-list", SECOND]),
)


@settings(max_examples=300)
@given(st.lists(CHANGES, min_size=2, max_size=8))
def test_after_any_changes_a_snapshot_is_the_one_built_anew(changes: list[ConfigMap | str]) -> None:
    known: Snapshot | None = None
    for change in changes:
        known = (
            snapshot(previous=known, deleted=[change]) if isinstance(change, str) else snapshot(change, previous=known)
        )
        anew = Snapshot.build(known.parts.values())
        assert known.repositories == anew.repositories
        assert (known.canonical_parts, known.exceptions) == (anew.canonical_parts, anew.exceptions)
