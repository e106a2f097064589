"""Shards: every image is one shard's, whatever list, pattern or push target names it; what is half said is refused."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgate.errors import SetupError
from patchgate.patcher.directory_store import DirectoryStore
from patchgate.patcher.expand import FindMatches, expand_lists, match_tags
from patchgate.patcher.progress import Result
from patchgate.patcher.shard import Shard, read_shard
from tests.conftest import write_configmaps
from tests.patcher.worksite import Worksite
from tests.world import NAMES, hours_ago, image_list, record, records, snapshot, team_list

REPOSITORIES = [f"registry.example.com/team-{number % 7}/app-{number}" for number in range(60)]


def find(list_tags: Callable[[str], Iterable[str]]) -> FindMatches:
    return lambda asked: [match_tags(each, list_tags(each.name)) for each in asked]


def test_each_repository_is_one_shards_and_all_are_shared_out() -> None:
    shards = [Shard(index, 3) for index in range(3)]
    owners = [[shard.index for shard in shards if shard.owns(name)] for name in REPOSITORIES]
    assert {len(each) for each in owners} == {1}
    assert all(10 <= sum(each == [index] for each in owners) <= 30 for index in range(3))
    assert all(Shard().owns(name) for name in REPOSITORIES)


def test_whose_an_image_is_never_changes() -> None:
    """Other processes and versions share the work out the same way; these were written down once."""
    names = ["docker.io/library/nginx", "registry.example.com/shop/api", "ghcr.io/org/tool"]
    assert [next(index for index in range(5) if Shard(index, 5).owns(name)) for name in names] == [3, 1, 3]


def test_shards_together_work_on_every_image_once(tmp_path: Path) -> None:
    lines = ["quay.io/a/one:1", "docker.io/library/nginx:1.*", "mirror.gcr.io/library/nginx:2.0"]
    policy = {
        "mirrors": "mirror.gcr.io = docker.io",
        "push_to": "docker.io/library = quay.io/patched\nquay.io/a = quay.io/patched",
    }
    lists = (
        image_list(*lines, **policy),
        team_list("quay.io/b/two:1", "docker.io/library/nginx:1.2", "quay.io/a/one:1"),
    )
    site = Worksite(tmp_path)
    for tag in ("1.1", "1.2", "2.0"):
        site.registry.push(f"docker.io/library/nginx:{tag}", {"libssl3": 2})
    world = snapshot(*lists)
    asked: list[str] = []

    def list_tags(repository: str) -> list[str]:
        asked.append(repository)
        return list(site.registry.list_tags(repository))

    parts = [expand_lists(world, find(list_tags), Shard(index, 4)) for index in range(4)]
    whole = expand_lists(world, find(site.registry.list_tags))
    keys = [target.key for part in parts for target in part.targets]
    assert sorted(keys) == sorted(target.key for target in whole.targets)
    assert len(keys) == len(set(keys)) == 5
    assert asked == ["docker.io/library/nginx"]
    for part in parts:
        repositories = {target.repository for target in part.targets}
        others = {target.repository for other in parts if other is not part for target in other.targets}
        assert not repositories & others


def test_a_run_of_a_shard_patches_its_own_alone_and_knows_of_the_others(tmp_path: Path) -> None:
    images = [f"{name}:1" for name in REPOSITORIES[:6]]
    done: list[str] = []
    for index in range(2):
        site = Worksite(tmp_path, *images)
        for image in images:
            site.registry.push(image, {"libssl3": 2})
        site.shard = Shard(index, 2)
        summary = site.run()
        assert {outcome.result for outcome in summary.outcomes} == {Result.CLEAN}
        assert site.store.last_run == site.now
        done += [outcome.key for outcome in summary.outcomes]
        assert len(site.run(images[0]).outcomes) == site.shard.owns(REPOSITORIES[0])
    assert sorted(done) == sorted(images)


def test_a_shard_lets_go_of_its_own_old_records_alone(tmp_path: Path) -> None:
    old = {f"{name}:1": record(updated=hours_ago(31 * 24)) for name in REPOSITORIES[:20]}
    write_configmaps(tmp_path, image_list("registry.example.com/shop/api:1"), records(old))
    shard = Shard(1, 3)
    now = datetime.now(UTC)
    DirectoryStore(tmp_path, NAMES, lambda: now, shard).finish_run(now)
    world = DirectoryStore(tmp_path, NAMES, lambda: now).load()
    left = {key for repository in world.repositories.values() for key in repository.records}
    assert left == {f"{name}:1" for name in REPOSITORIES[:20] if not shard.owns(name)}
    assert world.last_run == now.replace(microsecond=0)


@pytest.mark.parametrize(
    ("index", "count", "said"),
    [
        ("0", None, "JOB_COMPLETION_INDEX is set and JOB_COMPLETIONS is not: set both"),
        (None, "3", "JOB_COMPLETIONS is set and JOB_COMPLETION_INDEX is not: set both"),
        ("3", "3", "JOB_COMPLETION_INDEX is 3, and of JOB_COMPLETIONS 3 the last is 2"),
        ("0", "0", "JOB_COMPLETION_INDEX is 0, and of JOB_COMPLETIONS 0"),
        ("-1", "3", "JOB_COMPLETION_INDEX is -1: must be a number"),
        ("one", "3", "JOB_COMPLETION_INDEX is one: must be a number"),
        ("0", "9" * 5000, "JOB_COMPLETIONS is 9"),
        ("\u0661", "3", "JOB_COMPLETION_INDEX is \u0661: must be a number"),
    ],
)
def test_a_shard_that_is_half_said_or_none_is_refused(index: str | None, count: str | None, said: str) -> None:
    given = {"JOB_COMPLETION_INDEX": index, "JOB_COMPLETIONS": count}
    with pytest.raises(SetupError) as refusal:
        read_shard({name: text for name, text in given.items() if text is not None})
    assert str(refusal.value).startswith(said)


def test_a_shard_is_read_of_both_variables_and_is_all_without() -> None:
    assert read_shard({"JOB_COMPLETION_INDEX": "1", "JOB_COMPLETIONS": "3"}) == Shard(1, 3)
    assert read_shard({}) == Shard(0, 1)
