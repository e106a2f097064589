"""Lines to copy: they name what is approved, parse, and mean this tag alone."""

import re
import shlex

import pytest
import yaml

from patchgate.server.page.index import Index
from patchgate.server.page.lines import Lines, write_lines
from tests.server.page.images import CLEAN, DONE, LATE, NEW, every_standing, index_of
from tests.world import NOW, digest

APPROVED = f"{DONE}-patched-20260509@{digest('done done')}"


@pytest.fixture(scope="module")
def index() -> Index:
    return index_of(every_standing())


def lines_of(index: Index, image: str) -> list[Lines]:
    entry = index.by_image[image]
    return list(write_lines(image, entry.tracked.record, entry.find_approval(NOW)))


def find(index: Index, tool: str) -> str:
    return next(lines.text for lines in reversed(lines_of(index, DONE)) if lines.tool == tool)


@pytest.mark.parametrize(
    ("image", "tools"),
    [
        (DONE, ["kubectl", "kubectl", "Flux", "Kyverno"]),
        (CLEAN, ["kubectl", "kubectl"]),
        (LATE, ["kubectl"]),
        (NEW, ["kubectl"]),
    ],
)
def test_there_are_lines_for_what_can_be_done(index: Index, image: str, tools: list[str]) -> None:
    assert [lines.tool for lines in lines_of(index, image)] == tools


def test_kubectl_sets_the_approved_digest(index: Index) -> None:
    assert shlex.split(find(index, "kubectl"))[-1] == f"CONTAINER={APPROVED}"


def test_flux_follows_the_patched_tags_of_this_tag_alone(index: Index) -> None:
    policy = yaml.safe_load(find(index, "Flux"))
    pattern = policy["spec"]["filterTags"]["pattern"]
    assert re.fullmatch(pattern, "1-patched-20260509")
    assert re.fullmatch(pattern, "1-patched-20260509.02").group("ts") == "20260509.02"  # type: ignore[union-attr]
    others = ("1", "11-patched-20260509", "1-patched-2026050", "1-patched-20260509-amd64", "1-candidate-20260509")
    assert [tag for tag in others if re.fullmatch(pattern, tag)] == []
    assert policy["metadata"]["name"] == "team-done-1"


def test_kyverno_replaces_this_image_by_the_approved_one(index: Index) -> None:
    rule = yaml.safe_load(find(index, "Kyverno"))[0]
    each = rule["mutate"]["foreach"][0]
    assert each["preconditions"]["all"][0]["value"] == DONE
    assert each["patchStrategicMerge"]["spec"]["containers"][0]["image"] == APPROVED
