"""Lines that name mirrors: `HOST[/PREFIX] = REGISTRY[/PREFIX]`, longest prefix first, a wrong line for itself."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.errors import InvalidMirrorError
from patchgate.policy.mirror import MIRRORS, Mirror, Mirrors, parse_mirror, read_mirrors
from patchgate.policy.reference import Reference

CASE = """
mirror.gcr.io = docker.io
123456789012.dkr.ecr.eu-central-1.amazonaws.com/docker-hub = docker.io
registry.example.com:443 = registry.example.com
"""
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("repository", "renamed"),
    [
        ("mirror.gcr.io/library/nginx", "docker.io/library/nginx"),
        (f"{ECR}/docker-hub/library/nginx", "docker.io/library/nginx"),
        (f"{ECR}/docker-hub/nginx", "docker.io/library/nginx"),
        (f"{ECR}/docker-hub/grafana/grafana", "docker.io/grafana/grafana"),
        (f"{ECR}/docker-hub2/nginx", f"{ECR}/docker-hub2/nginx"),
        (f"{ECR}/shop/api", f"{ECR}/shop/api"),
        ("registry.example.com/shop/api", "registry.example.com/shop/api"),
    ],
)
def test_the_case_of_pull_through_caches_with_a_path(repository: str, renamed: str) -> None:
    mirrors, wrong = read_mirrors(CASE)
    assert mirrors.rename_fully(repository) == renamed
    assert [(line.number, line.reason) for line in wrong] == [
        (4, "both sides name registry.example.com: delete the line, it changes nothing")
    ]


@pytest.mark.parametrize(
    ("line", "mirror"),
    [
        ("docker.io=harbor.example.com/dockerhub", Mirror("docker.io", "harbor.example.com/dockerhub")),
        ("HARBOR.example.com:443/hub/ = index.docker.io", Mirror("harbor.example.com/hub", "docker.io")),
        ("localhost:5000/a/b = quay.io/c", Mirror("localhost:5000/a/b", "quay.io/c")),
        ("docker.io/library = ecr.example.com/official", Mirror("docker.io/library", "ecr.example.com/official")),
    ],
)
def test_a_line_is_normalised(line: str, mirror: Mirror) -> None:
    assert parse_mirror(line) == mirror


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("docker.io", r"write HOST\[/PREFIX\] = HOST\[/PREFIX\]"),
        ("= docker.io", "write HOST"),
        ("harbor = docker.io", "harbor is not a registry: write its host name"),
        ("https://mirror.gcr.io = docker.io", "write mirror.gcr.io without https://"),
        ("mirror.gcr.io/Hub = docker.io", "not a registry with the beginning of a path"),
        ("mirror.gcr.io/hub:1 = docker.io", "not a registry with the beginning of a path"),
        ("mirror.gcr.io//hub = docker.io", "not a registry with the beginning of a path"),
    ],
)
def test_a_wrong_line_says_what_to_write(line: str, says: str) -> None:
    with pytest.raises(InvalidMirrorError, match=says):
        parse_mirror(line)


def test_the_longest_prefix_applies_whatever_the_order() -> None:
    mirrors, wrong = read_mirrors(
        "docker.io = cache.example.com/hub\ndocker.io/library = cache.example.com/official\ndocker.io/nginx = own.io/n"
    )
    assert not wrong
    assert mirrors.rename("docker.io/library/redis") == "cache.example.com/official/redis"
    assert mirrors.rename("docker.io/grafana/grafana") == "cache.example.com/hub/grafana/grafana"
    assert mirrors.rename("docker.io/nginx/nginx-ingress") == "own.io/n/nginx-ingress"


def test_a_wrong_line_leaves_the_others() -> None:
    mirrors, wrong = read_mirrors(
        "mirror.gcr.io = docker.io\nnonsense\n# a comment\nghcr.example.com = ghcr.io # why\r\n"
    )
    assert [line.number for line in wrong] == [2]
    assert {mirror.source for mirror in mirrors} == {"mirror.gcr.io", "ghcr.example.com"}


def test_a_mirror_of_a_mirror_leads_to_the_registry_itself() -> None:
    mirrors, _ = read_mirrors(
        "a.example.com/x = b.example.com\nb.example.com/library = c.example.com\nm.io = a.example.com"
    )
    assert mirrors.rename_fully("m.io/x/library/nginx") == "c.example.com/nginx"


@pytest.mark.parametrize(
    "text",
    [
        "a.io = b.io\nb.io = a.io",
        "a.io = b.io/x\nb.io = a.io",
        "a.io = b.io\nb.io = c.io\nc.io/deep = a.io",
        "c.io = d.io\na.io/hub = a.io",
        "c.io = d.io\na.io = a.io/hub",
    ],
)
def test_the_line_that_closes_a_circle_is_wrong(text: str) -> None:
    mirrors, wrong = read_mirrors(text)
    assert [(line.number, "its own mirror" in line.reason) for line in wrong] == [(text.count("\n") + 1, True)]
    assert len(list(mirrors)) == text.count("\n")


def test_of_two_lines_of_one_name_the_first_applies() -> None:
    mirrors, wrong = read_mirrors("a.io = b.io\na.io = c.io")
    assert mirrors
    assert not read_mirrors("")[0]
    assert (mirrors.rename("a.io/x"), [line.number for line in wrong]) == ("b.io/x", [2])


def test_lines_without_end_are_bounded() -> None:
    mirrors, wrong = read_mirrors("\n".join(f"m{number}.example.com = docker.io" for number in range(MIRRORS + 2)))
    assert (len(list(mirrors)), len(wrong)) == (MIRRORS, 2)


CIRCLES = (
    "h.io/p = docker.io/library\ndocker.io/nginx = h.io/p/nginx",
    "docker.io/nginx = h.io/p/nginx\nh.io/p = docker.io/library",
    "docker.io/nginx = h.io/nginx\nh.io = docker.io/library",
    "docker.io/a = docker.io/library\ndocker.io/b = docker.io/a/b",
    "docker.io/library = docker.io/x\ndocker.io/x = docker.io/library",
    "docker.io/nginx = docker.io/library/nginx",
)


@pytest.mark.parametrize("text", CIRCLES)
def test_a_circle_by_way_of_docker_hubs_short_names_is_wrong_too(text: str) -> None:
    mirrors, wrong = read_mirrors(text)
    assert wrong
    assert all("would be its own mirror" in line.reason for line in wrong)
    assert len(list(mirrors)) + len(wrong) == len(text.split("\n"))


@pytest.mark.parametrize(
    "text", ["docker.io = h.io/hub\nmirror.gcr.io = docker.io", "h.io/hub = docker.io\ndocker.io/library = q.io/x"]
)
def test_a_chain_is_no_circle(text: str) -> None:
    assert read_mirrors(text)[1] == ()


_NAMES = st.sampled_from(
    ["docker.io", "docker.io/library", "docker.io/nginx", "docker.io/library/nginx", "docker.io/a", "h.io", "h.io/p"]
)
_PATHS = st.sampled_from(["", "/nginx", "/library", "/a/b", "/p/nginx"])
_PREFIXES = st.builds(str.__add__, _NAMES, _PATHS)
_LINES = st.lists(st.builds("{} = {}".format, _PREFIXES, _PREFIXES), max_size=6)


@settings(max_examples=500)
@given(_LINES, _PREFIXES)
def test_whatever_lines_are_good_renaming_comes_to_an_end(lines: list[str], prefix: str) -> None:
    mirrors, _ = read_mirrors("\n".join(lines))
    reference = Reference.parse_bare(f"{prefix}/nginx")
    for name in (reference.repository, "docker.io/library/nginx"):
        renamed = mirrors.rename_fully(name)
        assert mirrors.rename(renamed) == renamed


def test_lines_in_a_circle_that_were_not_read_keep_the_name() -> None:
    mirrors = Mirrors.of([Mirror("a.io", "b.io"), Mirror("b.io", "a.io/x")])
    assert mirrors.rename_fully("a.io/team/app") == "a.io/team/app"
