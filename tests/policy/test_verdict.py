"""Verdicts: what people read, fit for kube-apiserver: short, whole where it matters, no control characters."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from patchgate.policy.record import Approval
from patchgate.policy.verdict import Reason, Verdict, fit_beside, say_duration, say_time, show
from tests.world import NOW, digest

API = "registry.example.com/myapp/api"
DENIED = Verdict(f"{API}:1.4.2", allowed=False, reason=Reason.PATCH_AVAILABLE, text="a patched image is available")


def approve(repository: str = API, tag: str = "1.4.2-patched-20260509", digest: str = digest("patched")) -> Approval:
    return Approval(repository, tag, digest, {}, NOW)


def test_a_denial_names_the_image_the_reason_and_what_to_use() -> None:
    use = f"{API}:1.4.2-patched-20260509@{digest('patched')}"
    denied = replace(DENIED, approval=approve())
    assert denied.use == use
    assert denied.message == f"{API}:1.4.2: a patched image is available; use {use}"


def test_a_denial_without_an_approval_names_none() -> None:
    assert DENIED.use is None
    assert DENIED.message == f"{API}:1.4.2: a patched image is available"
    assert DENIED.warnings == (DENIED.message,)


def test_an_image_without_a_name_is_called_empty() -> None:
    empty = replace(DENIED, image="")
    assert empty.message == "empty image: a patched image is available"
    assert empty.warnings == (empty.message,)


def test_an_image_that_is_simply_allowed_warns_of_nothing() -> None:
    assert replace(DENIED, allowed=True, approval=approve()).warnings == ()


def test_an_allowed_image_may_warn() -> None:
    warned = replace(DENIED, allowed=True, warns=True)
    assert warned.warnings == (f"{API}:1.4.2: a patched image is available",)


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        (approve("r.io/x", "1"), f"use r.io/x:1@{digest('patched')}"),
        (approve("r.io/x", "1" * 60), f"use r.io/x@{digest('patched')}"),
        (approve("registry.example.com/" + "x" * 60), f"use its digest {digest('patched')}"),
    ],
    ids=["whole", "without its tag", "digest alone"],
)
def test_a_warning_shortens_what_to_use_without_cutting_the_digest(approval: Approval, expected: str) -> None:
    assert replace(DENIED, approval=approval).warnings[1] == expected


@pytest.mark.parametrize("algorithm", [f"sha384:{'f' * 96}", f"sha512:{'f' * 128}"], ids=["sha384", "sha512"])
def test_a_warning_keeps_its_length_whatever_the_algorithm_of_the_digest(algorithm: str) -> None:
    warnings = replace(DENIED, approval=approve(digest=algorithm)).warnings
    assert [line for line in warnings if len(line) > 120] == []


def test_a_long_name_loses_its_beginning_before_the_text_loses_anything() -> None:
    line = fit_beside("registry.example.com/" + "x" * 200 + ":1.4.2", ": a patched image is available")
    assert len(line) == 120
    assert line.startswith("…xxx")
    assert line.endswith("xxx:1.4.2: a patched image is available")


def test_a_long_text_loses_its_end_and_leaves_the_name_forty_characters() -> None:
    line = fit_beside("registry.example.com/myapp/frontend-with-a-long-name:1.4.2", ": " + "y" * 300)
    assert len(line) == 120
    assert line.startswith("…m/myapp/frontend-with-a-long-name:1.4.2: yyy")
    assert line.endswith("y…")


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=300))
def test_no_warning_is_too_long_or_has_control_characters(name: str, text: str) -> None:
    line = fit_beside(name, text)
    assert len(line) <= 120
    assert [character for character in line if unicodedata.category(character) == "Cc"] == []


BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@pytest.mark.parametrize(
    "character", [*"\x00\x07\x1b\n\r\t\x7f\x85\x9f\u2028\u2029\u200b\ufeff\ud800", *BIDIRECTIONAL], ids=ascii
)
def test_control_and_direction_characters_are_replaced(character: str) -> None:
    assert show(f"a{character}b") == "a\ufffdb"


def test_other_letters_are_shown_as_they_are() -> None:
    assert show("réglé \u2603") == "réglé \u2603"


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert show("a" * 200) == "a" * 200
    assert show("a" * 201) == "a" * 199 + "…"
    assert show("a" * 11, 10) == "a" * 9 + "…"


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(), "0 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(hours=23, minutes=5), "23 h 5 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=48), "2 d"),
        (timedelta(days=2, hours=3, minutes=59), "2 d 3 h"),
        (timedelta(days=3650), "3650 d"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(duration: timedelta, expected: str) -> None:
    assert say_duration(duration) == expected


def test_a_time_is_said_to_the_minute() -> None:
    assert say_time(datetime(2026, 5, 9, 6, 4, 52, tzinfo=UTC)) == "2026-05-09T06:04:52Z"
