"""Naming: mirrors of a registry are that registry, and push targets follow the closest prefix."""

from dataclasses import replace

import pytest

from patchgate.policy.policy import Naming
from patchgate.policy.reference import Reference
from patchgate.policy.verdict import Reason
from tests.world import image_list, snapshot, team_list, verdict


def naming(mirrors: str = "", push_to: str = "") -> Naming:
    """What the main image list says of names."""
    return snapshot(image_list("nginx:1", mirrors=mirrors, push_to=push_to)).policy.naming


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("mirror.gcr.io/library/nginx", "docker.io/library/nginx"),
        ("mirror.gcr.io/nginx", "docker.io/library/nginx"),
        ("mirror.gcr.io/bitnami/redis", "docker.io/bitnami/redis"),
        ("docker.io/library/nginx", "docker.io/library/nginx"),
        ("mirror.gcr.io.evil.io/library/nginx", "mirror.gcr.io.evil.io/library/nginx"),
        ("registry.example.com/mirror.gcr.io/nginx", "registry.example.com/mirror.gcr.io/nginx"),
    ],
)
def test_a_mirror_is_another_name_of_its_registry(repository: str, expected: str) -> None:
    names = naming(mirrors="mirror.gcr.io = docker.io")
    assert names.canonical(repository) == expected
    assert names.rename(Reference.parse_bare(repository)).repository == expected


def test_a_reference_keeps_its_tag_and_digest_under_its_own_name() -> None:
    text = "mirror.gcr.io/nginx:1@sha256:" + "0" * 64
    renamed = naming(mirrors="Mirror.GCR.io:443 = index.docker.io").rename(Reference.parse(text))
    assert str(renamed) == "docker.io/library/nginx:1@sha256:" + "0" * 64


def test_a_mirror_of_a_mirror_is_the_registry() -> None:
    names = naming(mirrors="a.example.com = b.example.com\nb.example.com = docker.io  # the real one")
    assert names.canonical("a.example.com/nginx") == "docker.io/library/nginx"
    assert names.canonical("b.example.com/nginx") == "docker.io/library/nginx"


def test_docker_hub_can_be_a_mirror_of_something_else() -> None:
    names = naming(mirrors="docker.io = registry.example.com")
    assert names.canonical("docker.io/library/nginx") == "registry.example.com/library/nginx"


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("docker.io/library/nginx", "registry.example.com/patched/nginx"),
        ("docker.io/bitnami/redis", "registry.example.com/hub/bitnami/redis"),
        ("docker.io/library/redis", "registry.example.com/own/redis"),
        ("docker.io/library/redis/sub", "registry.example.com/own/redis/sub"),
        ("docker.io/library/redis2", "registry.example.com/patched/redis2"),
        ("quay.io/team/app", None),
        ("docker.io.evil.io/library/nginx", None),
    ],
)
def test_the_closest_prefix_says_where_a_patched_image_goes(repository: str, expected: str | None) -> None:
    names = naming(
        push_to="docker.io = registry.example.com/hub\n"
        "docker.io/library = registry.example.com/patched/\n"
        "docker.io/library/redis = registry.example.com/own/redis\n"
    )
    assert names.find_target(repository) == expected


def test_a_target_on_docker_hub_is_named_as_docker_hub_names_it() -> None:
    names = naming(push_to="quay.io/team = docker.io")
    assert names.find_target("quay.io/team/app") == "docker.io/library/app"


def test_push_targets_are_named_under_the_mirrored_registry() -> None:
    names = naming(
        mirrors="mirror.gcr.io = docker.io\nr.example.com = registry.example.com",
        push_to="mirror.gcr.io/library = r.example.com/patched",
    )
    assert names.find_target("docker.io/library/nginx") == "registry.example.com/patched/nginx"


def test_without_mirrors_and_targets_every_name_is_its_own() -> None:
    names = naming()
    assert names == Naming()
    assert names.canonical("docker.io/library/nginx") == "docker.io/library/nginx"
    assert names.find_target("docker.io/library/nginx") is None


def test_a_push_target_is_tracked() -> None:
    snap = snapshot(image_list("nginx:1", push_to="docker.io/library = registry.example.com/patched"))
    assert verdict("registry.example.com/patched/nginx:9", snap).reason is Reason.UNLISTED
    assert not verdict("registry.example.com/patched/nginx:9", snap).allowed


def test_a_push_target_of_a_labelled_list_is_tracked_with_a_warning() -> None:
    push_to = "docker.io/bitnami = registry.example.com/hub/bitnami"
    snap = snapshot(image_list("nginx:1", push_to=push_to), team_list("bitnami/redis:7"))
    unlisted = verdict("registry.example.com/hub/bitnami/redis:9", snap)
    assert (unlisted.allowed, unlisted.reason) == (True, Reason.UNLISTED)


def test_a_policy_beside_a_labelled_list_counts_for_nothing() -> None:
    team = team_list("bitnami/redis:7")
    labelled = replace(team, data={**team.data, "mirrors": "docker.io = quay.io"})
    assert snapshot(image_list("nginx:1"), labelled).policy.naming == Naming()
