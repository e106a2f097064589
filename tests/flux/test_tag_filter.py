"""The tag filter, as Go's own regexp and Flux's numerical order understand it."""

import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import islice

import pytest

from patchgate.flux.tag_filter import EXTRACT, make_pattern
from patchgate.patcher.naming import name_candidates, name_patched, name_platform_tags
from tests.groups import is_ci, leave_out
from tools.cache import find_cache
from tools.go import get_go

# What image-reflector-controller does with a pattern (internal/policy: filter.go, numerical.go), which is not to be
# imported: match, expand, compare as float64, keep the highest.
PROGRAM = """package main

import ("encoding/json"; "fmt"; "os"; "regexp"; "strconv")

func main() {
	var questions []struct{ Pattern, Extract string; Tags []string }
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil { panic(err) }
	for _, question := range questions {
		pattern, latest, highest := regexp.MustCompile(question.Pattern), "", -1.0
		for _, tag := range question.Tags {
			matches := pattern.FindStringSubmatchIndex(tag)
			if len(matches) == 0 { continue }
			number, err := strconv.ParseFloat(string(pattern.ExpandString(nil, question.Extract, tag, matches)), 64)
			if err != nil { panic(err) }
			if number > highest { latest, highest = tag, number }
		}
		fmt.Println(latest)
	}
}
"""
Chooser = Callable[[Sequence[tuple[str, Sequence[str]]]], list[str]]


@pytest.fixture(scope="module")
def choose(tmp_path_factory: pytest.TempPathFactory) -> Chooser:
    """Chooses among the tags of each (source tag, tags), as Flux does; empty where none matches."""
    if not is_ci() and not shutil.which("go") and not (find_cache() / "go").is_dir():
        leave_out("Go is not here; make tools installs it")
    go, folder = get_go(find_cache()), tmp_path_factory.mktemp("choose")
    (folder / "main.go").write_text(PROGRAM, encoding="utf-8")
    (folder / "go.mod").write_text("module choose\n\ngo 1.26.0\n", encoding="utf-8")
    subprocess.run([go, "build", "-o", "choose", "."], cwd=folder, check=True, timeout=600)

    def ask(questions: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
        asked = [{"Pattern": make_pattern(tag), "Extract": EXTRACT, "Tags": tags} for tag, tags in questions]
        done = subprocess.run(
            [folder / "choose"], input=json.dumps(asked), check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout.split("\n")[:-1]

    return ask


SOURCE_TAGS = ["1.4.2", "latest", "v1", "1.25-alpine", "3_x", "A.b-C_d", "..", "-.", "1", "20260509"]


def make_tags(source: str) -> list[str]:
    days = [datetime(2025, 12, 31, tzinfo=UTC), datetime(2026, 5, 9, tzinfo=UTC), datetime(2026, 5, 10, tzinfo=UTC)]
    return [tag for day in days for tag in islice(name_patched(source, day), 12)]


def test_the_newest_tag_of_the_patcher_wins_in_whatever_order_they_come(choose: Chooser) -> None:
    newest = [f"{source}-patched-20260510.12" for source in SOURCE_TAGS]
    assert choose([(source, make_tags(source)) for source in SOURCE_TAGS]) == newest
    assert choose([(source, make_tags(source)[::-1]) for source in SOURCE_TAGS]) == newest


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("20260509", "20260509.02"),
        ("20260509.02", "20260509.10"),
        ("20260509.09", "20260509.10"),
        ("20260509.99", "20260510"),
        ("20251231.99", "20260101"),
    ],
)
def test_a_number_orders_behind_its_date(choose: Chooser, older: str, newer: str) -> None:
    tags = [f"1.4.2-patched-{older}", f"1.4.2-patched-{newer}"]
    assert choose([("1.4.2", tags), ("1.4.2", tags[::-1])]) == [tags[1]] * 2


@pytest.mark.parametrize(
    "other",
    [
        "1.4.2",
        "1x4y2-patched-20260509",  # a dot is a dot
        "11.4.2-patched-20260509",
        "1.4.2-rc1-patched-20260509",
        "1.4.3-patched-20270101",
        "1.4.2-patched-20260509.1",
        "1.4.2-patched-20260509.002",
        "1.4.2-patched-2026050",
        "1.4.2-patched-20260509-arm64",
        "1.4.2-patched-20260509.02-amd64",
        "sha256-9a.sig",
        "1.4.2-patched-patched-20260509",
    ],
)
def test_no_other_tag_is_chosen(choose: Chooser, other: str) -> None:
    assert choose([("1.4.2", [other])]) == [""]


def test_no_candidate_and_no_platform_tag_is_chosen(choose: Chooser) -> None:
    day = datetime(2026, 5, 9, tzinfo=UTC)
    candidates = list(islice(name_candidates("1.4.2", day), 12))
    platforms = name_platform_tags(next(name_patched("1.4.2", day)), ["linux/amd64", "linux/arm64", "linux/arm/v7"])
    assert choose([("1.4.2", candidates), ("1.4.2", platforms)]) == ["", ""]


@pytest.mark.parametrize("tag", SOURCE_TAGS)
def test_a_pattern_is_anchored_and_names_what_is_compared(tag: str) -> None:
    pattern = make_pattern(tag)
    assert (pattern[0], pattern[-1], pattern.count("(?P<ts>")) == ("^", "$", 1)


def test_special_characters_are_quoted_as_go_quotes_them() -> None:
    assert make_pattern("1.4.2+a") == r"^1\.4\.2\+a-patched-(?P<ts>[0-9]{8}(?:\.[0-9]{2})?)$"
