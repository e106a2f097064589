"""Tags: numbered behind the date, ordered as text, never beyond what a registry takes."""

from datetime import datetime, timedelta, timezone
from itertools import islice

import pytest

from patchgate.errors import ImageError
from patchgate.patcher.naming import is_candidate, name_candidates, name_patched, name_platform_tags
from patchgate.policy.pattern import expands_to
from patchgate.policy.reference import is_tag
from tests.world import NOW


def test_the_tags_of_an_indexs_platforms_are_named_as_copa_names_them() -> None:
    assert name_platform_tags("1.0-candidate-20260509", ["linux/amd64", "linux/arm/v7", "linux/arm64"]) == [
        "1.0-candidate-20260509-amd64",
        "1.0-candidate-20260509-arm-v7",
        "1.0-candidate-20260509-arm",
        "1.0-candidate-20260509-arm64",
        "1.0-candidate-20260509-arm64-v8",
    ]


def test_the_first_of_a_day_has_no_number_and_the_others_have_two_digits() -> None:
    assert list(islice(name_patched("1.4.2", NOW), 3)) == [
        "1.4.2-patched-20260509",
        "1.4.2-patched-20260509.02",
        "1.4.2-patched-20260509.03",
    ]
    assert list(islice(name_candidates("1.4.2", NOW), 2)) == [
        "1.4.2-candidate-20260509",
        "1.4.2-candidate-20260509.02",
    ]


def test_the_day_is_utcs() -> None:
    late = datetime(2026, 5, 10, 1, tzinfo=timezone(timedelta(hours=2)))
    assert next(name_patched("1", late)) == "1-patched-20260509"


def test_ninety_nine_of_a_day_are_in_order_as_text_and_the_hundredth_is_refused() -> None:
    tags = name_patched("1.4.2", NOW)
    made = list(islice(tags, 99))
    assert made == sorted(made)
    assert made[-1] == "1.4.2-patched-20260509.99"
    with pytest.raises(ImageError, match="are taken"):
        next(tags)


def test_no_pattern_of_a_list_ever_stands_for_a_made_tag() -> None:
    for tag in (*islice(name_patched("1", NOW), 99), *islice(name_candidates("1", NOW), 99)):
        assert not expands_to("*", tag)


def test_the_longest_source_tag_leaves_room_for_its_candidate_and_a_longer_one_is_refused() -> None:
    longest = "x" * 106
    assert is_tag(list(islice(name_candidates(longest, NOW), 99))[-1])
    with pytest.raises(ImageError, match="107 characters and at most 106"):
        next(name_patched("x" * 107, NOW))


LONGEST = "v" * 106
"""The longest source tag that has room for a candidate's ending."""


def test_a_candidate_of_an_index_has_room_for_the_tags_of_its_platforms() -> None:
    platforms = ("linux/amd64", "linux/arm64")
    name = next(name_candidates(LONGEST, NOW, platforms))
    assert all(len(each) <= 128 for each in name_platform_tags(name, platforms))
    assert is_candidate(name, LONGEST)
    assert not is_candidate(name, LONGEST[:-1] + "w")
    other = next(name_candidates(LONGEST[:-1] + "w", NOW, platforms))
    assert other != name, "another tag that begins alike"


def test_a_candidate_of_a_usual_tag_is_named_in_full() -> None:
    assert next(name_candidates("1.4.2", NOW, ("linux/arm64",))) == "1.4.2-candidate-20260509"
