"""Patterns: whole segments, `*` inside one of them or a tag, `**` for the rest."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from patchgate.errors import InvalidPatternError
from patchgate.policy.mirror import Mirror, Mirrors
from patchgate.policy.pattern import Pattern, expands_to, matches_glob
from patchgate.policy.policy import Naming
from patchgate.policy.reference import Reference
from tests.world import digest

DIGEST = digest("x")


def covers(pattern: str, repository: str) -> bool:
    reference = Reference.parse_bare(repository)
    return Pattern.parse(pattern).covers_repository(reference.registry, reference.path)


@pytest.mark.parametrize(
    ("pattern", "repository"),
    [
        ("registry.example.com/myapp/api:1.4.2", "registry.example.com/myapp/api"),
        ("registry.example.com/myapp/*", "registry.example.com/myapp/api"),
        ("registry.example.com/*/api", "registry.example.com/myapp/api"),
        ("registry.example.com/my*/a*i", "registry.example.com/myapp/api"),
        ("registry.example.com/**", "registry.example.com/api"),
        ("registry.example.com/**", "registry.example.com/team/sub/api"),
        ("registry.example.com/team/**", "registry.example.com/team/api"),
        ("registry.example.com/*/**", "registry.example.com/team/sub/api"),
        ("Registry.Example.com:443/myapp/api", "registry.example.com/myapp/api"),
        ("localhost/api", "localhost/api"),
        ("registry:5000/api", "registry:5000/api"),
        ("docker.io/nginx", "nginx"),
        ("docker.io/*", "nginx"),
        ("docker.io/**", "nginx"),
        ("index.docker.io/library/*", "nginx"),
        ("docker.io/bitnami/*", "bitnami/redis"),
    ],
)
def test_a_pattern_covers(pattern: str, repository: str) -> None:
    assert covers(pattern, repository)


@pytest.mark.parametrize(
    ("pattern", "repository"),
    [
        ("registry.example.com/**", "registry.example.com.evil.io/api"),
        ("registry.example.com/**", "evil.registry.example.com/api"),
        ("registry.example.com/**", "registry.example.com:5000/api"),
        ("registry.example.com/**", "docker.io/registry.example.com/api"),
        ("registry.example.com/myapp/api", "registry.example.com/myapp/api2"),
        ("registry.example.com/myapp/api", "registry.example.com/myapp/api/x"),
        ("registry.example.com/myapp/*", "registry.example.com/myapp/sub/api"),
        ("registry.example.com/myapp/*", "registry.example.com/myapp2/api"),
        ("registry.example.com/myapp/*", "registry.example.com/myapp"),
        ("registry.example.com/team/**", "registry.example.com/team"),
        ("registry.example.com/team/**", "registry.example.com/team2/api"),
        ("docker.io/*", "bitnami/redis"),
        ("docker.io/nginx", "evil/nginx"),
    ],
)
def test_a_pattern_does_not_cover(pattern: str, repository: str) -> None:
    assert not covers(pattern, repository)


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("nginx", "write the registry out"),
        ("library/nginx:*", "write the registry out"),
        ("*/nginx", "write the registry out"),
        ("*.example.com/nginx", "write the registry out"),
        ("registry.example.com*/nginx", "write the registry out"),
        ("Registry/nginx", "write the registry out"),
        ("registry.example.com/**/nginx", "** stands alone"),
        ("registry.example.com/team**", "** stands alone"),
        ("registry.example.com/te**am/x", "** stands alone"),
        ("registry.example.com/***", "** stands alone"),
        ("registry.example.com/", "a repository has lower-case letters"),
        ("registry.example.com/Team/*", "a repository has lower-case letters"),
        ("registry.example.com//*", "a repository has lower-case letters"),
        ("registry.example.com/x:", "a tag has letters"),
        ("registry.example.com/x@sha256:*", "a digest is sha256:"),
        ("registry.example.com:port/x", "the registry is not a host name"),
    ],
)
def test_what_is_no_pattern_is_refused_with_what_to_write(pattern: str, fault: str) -> None:
    with pytest.raises(InvalidPatternError) as refusal:
        Pattern.parse(pattern)
    assert str(refusal.value).startswith(fault)


def test_a_pattern_keeps_its_tag_and_digest() -> None:
    pattern = Pattern.parse(f"index.docker.io/nginx:1.*@{DIGEST}")
    assert pattern == Pattern("docker.io", "library/nginx", "1.*", DIGEST)
    assert str(pattern) == f"docker.io/library/nginx:1.*@{DIGEST}"


def test_a_pattern_without_tag_and_digest_says_so() -> None:
    pattern = Pattern.parse("registry.example.com/**")
    assert (pattern.tag, pattern.digest, str(pattern)) == (None, None, "registry.example.com/**")


def test_only_a_pattern_without_a_star_in_its_path_is_literal() -> None:
    texts = ["registry.example.com/x", "registry.example.com/x:*", "registry.example.com/*", "registry.example.com/**"]
    literal = ["registry.example.com/x", "registry.example.com/x:*"]
    assert [text for text in texts if Pattern.parse(text).is_literal] == literal


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("mirror.gcr.io/nginx:*", "docker.io/library/nginx:*"),
        ("mirror.gcr.io/team/*", "docker.io/team/*"),
        ("mirror.gcr.io/**", "docker.io/**"),
        ("harbor.example.com/hub/library/nginx:1", "docker.io/library/nginx:1"),
        ("harbor.example.com/hub/*", "docker.io/library/*"),
        ("harbor.example.com/hub/**", "docker.io/**"),
        ("harbor.example.com/hub/bitnami/**:1", "docker.io/bitnami/**:1"),
        ("harbor.example.com/**", "harbor.example.com/**"),
        ("harbor.example.com/hub2/nginx", "harbor.example.com/hub2/nginx"),
    ],
)
def test_a_pattern_of_a_mirror_reads_as_one_of_its_registry(pattern: str, expected: str) -> None:
    mirrors = Mirrors.of([Mirror("mirror.gcr.io", "docker.io"), Mirror("harbor.example.com/hub", "docker.io")])
    renamed = Pattern.parse(pattern).rename(Naming(mirrors).canonical)
    assert renamed == Pattern.parse(expected)


@settings(max_examples=300)
@example("a*a", "a")
@example("*ab*ab*", "abab")
@example("a**b", "ab")
@given(st.text("ab*.", max_size=8), st.text("ab.", max_size=10))
def test_a_glob_matches_as_the_regular_expression_it_stands_for(pattern: str, text: str) -> None:
    oracle = ".*".join(map(re.escape, pattern.split("*")))
    assert matches_glob(pattern, text) is (re.fullmatch(oracle, text) is not None)


def test_no_pattern_takes_long() -> None:
    assert not matches_glob("*a" * 500 + "b", "a" * 100_000)


@pytest.mark.parametrize(
    "tag",
    [
        "1.25-patched-20260509",
        "1.25-patched-20260509.02",
        "1.25-candidate-20260509",
        "1.25-candidate-20260509.02",
        "1.25-patched-20260508-patched-20260509",
    ],
)
def test_a_star_never_stands_for_a_tag_that_the_patcher_made(tag: str) -> None:
    assert matches_glob("1.*", tag)
    assert not expands_to("1.*", tag)
    assert not expands_to("*", tag)


@pytest.mark.parametrize(
    "tag",
    [
        "1.25",
        "1.",
        "1.25-patched",
        "1.25-patched-2026",
        "1.25-patched-20260509-alpine",
        "1.25-candidate",
        "1.release-candidate-1",
    ],
)
def test_a_star_stands_for_any_other_tag(tag: str) -> None:
    assert expands_to("1.*", tag)


@given(st.from_regex(r"[a-z0-9]{0,4}(-patched-[0-9]{8}(\.[0-9]{2})?|-candidate-[0-9]{8}(\.[0-9]{2})?)", fullmatch=True))
def test_no_pattern_expands_to_a_made_tag(tag: str) -> None:
    patterns = ["*", tag, f"{tag}*", f"*{tag[-3:]}", f"{tag[:3]}*"]
    assert [pattern for pattern in patterns if expands_to(pattern, tag)] == []
