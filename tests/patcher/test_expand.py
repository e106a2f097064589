"""Expanding the lists: each image once, in the order that keeps approvals fresh, and no line costs another."""

import itertools
from collections.abc import Callable, Iterable, Iterator

from patchgate.errors import RegistryError
from patchgate.patcher.expand import Expansion, expand_lists, match_tags
from patchgate.policy.snapshot import Snapshot
from tests.world import clean, digest, hours_ago, image_list, patched, records, snapshot, team_list

API = "registry.example.com/myapp/api"
WEB = "registry.example.com/myapp/web"


class Tags:
    """Lists tags as a registry does, page by page, and counts how often it was asked."""

    def __init__(self, **by_name: list[str]) -> None:
        self.by_repository = {f"registry.example.com/myapp/{name}": tags for name, tags in by_name.items()}
        self.asked: list[str] = []

    def list(self, repository: str) -> Iterator[str]:
        self.asked.append(repository)
        if repository not in self.by_repository:
            raise RegistryError("the registry answers 401: check the credentials")
        yield from self.by_repository[repository]


def expand(world: Snapshot, list_tags: Callable[[str], Iterable[str]]) -> Expansion:
    return expand_lists(world, lambda asked: [match_tags(each, list_tags(each.name)) for each in asked])


def names(expansion: Expansion) -> list[str]:
    return [target.key for target in expansion.targets]


def test_a_line_is_a_target_and_nobody_asks_the_registry() -> None:
    tags = Tags()
    expansion = expand(snapshot(image_list(f"{API}:1", f"{WEB}:2@{digest('pin')}", f"{API}:1")), tags.list)
    assert [(each.key, each.digest, each.push_repository, each.record) for each in expansion.targets] == [
        (f"{API}:1", None, API, None),
        (f"{WEB}:2", digest("pin"), WEB, None),
    ]
    assert tags.asked == []


def test_a_pattern_stands_for_the_tags_there_are_but_never_for_those_the_patcher_made() -> None:
    made = ["1.1-patched-20260509", "1.1-patched-20260509.02", "1.1-candidate-20260509", "1.1-patched-20260509-amd64"]
    made += ["1.1-candidate-20260509-amd64", "1.1-patched-20260509.02-arm-v7"]
    tags = Tags(api=["1.0", "1.1", "2.0", *made, "1.1-patched"])
    expansion = expand(snapshot(image_list(f"{API}:1.*", f"{API}:*-patched")), tags.list)
    assert names(expansion) == [f"{API}:1.0", f"{API}:1.1", f"{API}:1.1-patched"]
    assert tags.asked == [API]


def test_a_tag_that_is_listed_and_matches_is_one_target_with_the_lines_digest() -> None:
    world = snapshot(image_list(f"{API}:*", f"{API}:1.0@{digest('pin')}"))
    expansion = expand(world, Tags(api=["1.0", "1.1"]).list)
    assert [(each.key, each.digest) for each in expansion.targets] == [
        (f"{API}:1.0", digest("pin")),
        (f"{API}:1.1", None),
    ]


def test_a_pattern_of_fifty_tags_is_taken_and_of_more_is_refused_alone() -> None:
    fifty = [f"1.{number}" for number in range(50)]
    world = snapshot(image_list(f"{API}:1.*", f"{API}:*", f"{WEB}:1"))
    expansion = expand(world, Tags(api=[*fifty, "2.0"]).list)
    assert sorted(names(expansion)) == sorted([*(f"{API}:{tag}" for tag in fifty), f"{WEB}:1"])
    assert [str(problem) for problem in expansion.failures] == [
        f"copa-image-list: line 2: {API}:* stands for more than 50 tags: write narrower ones"
    ]


def test_a_pattern_never_stands_for_what_belongs_to_an_image_and_is_none() -> None:
    name = digest("api").replace(":", "-")
    tags = Tags(api=["1.0", name, f"{name}.sig", f"{name}.att", f"{name}.sbom", "sha256-of-mine"])
    assert names(expand(snapshot(image_list(f"{API}:*")), tags.list)) == [f"{API}:1.0", f"{API}:sha256-of-mine"]


def test_a_listed_tag_of_a_signature_is_refused() -> None:
    name = digest("api").replace(":", "-")
    expansion = expand(snapshot(image_list(f"{API}:{name}.sig")), Tags().list)
    assert names(expansion) == []
    assert "is the tag of a signature, an attestation or an SBOM, and not of an image" in str(expansion.failures[0])


def test_no_more_tags_are_asked_for_than_a_pattern_may_stand_for() -> None:
    given: list[str] = []

    def list_tags(_: str) -> Iterator[str]:
        for number in itertools.count():
            given.append(f"1.{number}")
            yield given[-1]

    expansion = expand(snapshot(image_list(f"{API}:1.*", f"{API}:*")), list_tags)
    assert len(given) == 51
    assert [problem.place for problem in expansion.failures] == ["line 1", "line 2"]


def test_tags_are_asked_for_as_long_as_one_pattern_may_stand_for_more() -> None:
    tags = [*(f"1.{number}" for number in range(60)), "2.0"]
    expansion = expand(snapshot(image_list(f"{API}:1.*", f"{API}:2.*")), Tags(api=tags).list)
    assert names(expansion) == [f"{API}:2.0"]
    assert [problem.place for problem in expansion.failures] == ["line 1"]


def test_a_pattern_that_fails_costs_no_other_line() -> None:
    world = snapshot(image_list(f"{API}:1.0", f"{API}:2.*", f"{WEB}:*"))
    expansion = expand(world, Tags(web=["3"]).list)
    assert names(expansion) == [f"{API}:1.0", f"{WEB}:3"]
    assert [str(problem) for problem in expansion.failures] == [
        f"copa-image-list: line 2: {API}:2.* cannot be expanded: the registry answers 401: check the credentials"
    ]


def test_of_two_digests_of_one_tag_the_first_line_wins_and_the_other_is_reported() -> None:
    world = snapshot(image_list(f"{API}:1@{digest('one')}", f"{API}:1@{digest('two')}"))
    expansion = expand(world, Tags().list)
    assert [target.digest for target in expansion.targets] == [digest("one")]
    assert [problem.place for problem in expansion.problems] == ["line 2"]


def test_labelled_lists_add_images() -> None:
    world = snapshot(image_list(f"{API}:1"), team_list(f"{WEB}:1", f"{API}:1", f"{API}:2"))
    assert names(expand(world, Tags().list)) == [f"{API}:1", f"{API}:2", f"{WEB}:1"]


def test_what_cannot_be_pushed_to_goes_where_the_policy_says() -> None:
    policy = {"push_to": "docker.io/library = registry.example.com/patched"}
    world = snapshot(image_list("nginx:1.25", f"{API}:1", **policy))
    assert [(each.key, each.push_repository) for each in expand(world, Tags().list).targets] == [
        ("docker.io/library/nginx:1.25", "registry.example.com/patched/nginx"),
        (f"{API}:1", API),
    ]


def test_a_mirror_is_the_registry_it_mirrors() -> None:
    world = snapshot(image_list("mirror.gcr.io/nginx:1", mirrors="mirror.gcr.io = docker.io"))
    assert names(expand(world, Tags().list)) == ["docker.io/library/nginx:1"]


def test_a_listed_tag_that_the_patcher_makes_is_refused() -> None:
    expansion = expand(snapshot(image_list(f"{API}:1-patched-20260509", f"{API}:1")), Tags().list)
    assert names(expansion) == [f"{API}:1"]
    assert "is a tag that the patcher makes: list its source tag" in str(expansion.failures[0])


def test_the_never_tried_come_first_then_those_tried_longest_ago() -> None:
    by_key = {
        f"{API}:new": clean(f"{API}:new", updated=hours_ago(1)),
        f"{API}:old": patched(f"{API}:old-patched-20260508", updated=hours_ago(20)),
        f"{WEB}:middle": clean(f"{WEB}:middle", updated=hours_ago(5)),
    }
    world = snapshot(image_list(f"{API}:new", f"{API}:old", f"{WEB}:middle", f"{WEB}:never"), records(by_key))
    expansion = expand(world, Tags().list)
    assert names(expansion) == [f"{WEB}:never", f"{API}:old", f"{WEB}:middle", f"{API}:new"]
    assert [target.record is not None for target in expansion.targets] == [False, True, True, True]
