"""Names of Flux's objects: labels, stable, and never the same of two things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchgate.flux.naming import name_policy, name_repository

LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
API = "registry.example.com/myapp/api"
REPOSITORIES = st.from_regex(
    r"[a-z0-9.]{1,20}(:[0-9]{2,5})?(/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*){1,5}", fullmatch=True
)
TAGS = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)


def test_a_name_says_what_it_is_of() -> None:
    assert name_repository(API) == "myapp-api-5bf40ec3"
    assert name_policy(API, "1.4.2") == "api-1-4-2-8ea21d75"


@given(REPOSITORIES, TAGS)
def test_every_name_is_a_label(repository: str, tag: str) -> None:
    assert LABEL.fullmatch(name_repository(repository))
    assert LABEL.fullmatch(name_policy(repository, tag))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((API, "1.4.2"), (API, "1-4-2")),
        ((API, "1.4.2"), (API, "1.4.2_")),
        ((API, "v1"), (API, "V1")),
        ((API, "1"), ("registry.example.org/myapp/api", "1")),
        ((API, "a" * 128), (API, "a" * 127)),
    ],
)
def test_tags_that_look_alike_have_names_of_their_own(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert name_policy(*one) != name_policy(*other)


def test_repositories_that_look_alike_have_names_of_their_own() -> None:
    alike = ["a.example/x/y", "b.example/x/y", "a.example/x-y", "a.example/x.y", "a.example/x__y"]
    assert len({name_repository(repository) for repository in alike}) == len(alike)
