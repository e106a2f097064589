"""Every case that is a main image list, read by `patchgate report` and `patchgate check` in the demo's world."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases.reading import CASES, IMAGE_LIST, read_lists, write_demo
from tests.command import run_patchgate
from tests.world import NOW

LISTS = read_lists()
NAMES = [path.name for path, _ in LISTS]
AT = ("--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")


def write_world(directory: Path, lists: Path) -> Path:
    """The demo's world with another main list; a labelled list of a case stays beside it."""
    write_demo(directory, NOW)
    (directory / IMAGE_LIST).write_bytes(lists.read_bytes())
    return directory


@pytest.mark.parametrize(("lists", "expect"), LISTS, ids=NAMES)
def test_a_list_is_reported_as_its_case_says(
    lists: Path, expect: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ("--source", str(write_world(tmp_path, lists)))
    code, out, err = run_patchgate(capsys, "report", *source, *AT, "-o", "json")
    assert code == expect["exit"]
    for said in expect.get("said", ()):
        assert said in err
    if code != 2:
        report = json.loads(out)
        assert [line["listed_in"] for line in report["bad_lines"]] == expect.get("bad_lines", [])
        assert len(report["images"]) == expect["images"]


@pytest.mark.parametrize(
    ("lists", "image", "verdict"),
    [(path, image, verdict) for path, expect in LISTS for image, verdict in expect.get("verdicts", {}).items()],
)
def test_an_image_is_judged_by_the_list_as_its_case_says(
    lists: Path, image: str, verdict: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ("--source", str(write_world(tmp_path, lists)))
    _, out, _ = run_patchgate(capsys, "check", *source, *AT, "-o", "json", image)
    (item,) = json.loads(out)["images"]
    word = "denied" if not item["allowed"] else "warned" if item["warnings"] else "allowed"
    assert f"{word} {item['reason']}" == verdict


def test_every_list_has_its_expectation() -> None:
    files = {path.name for path in (CASES / "lists").iterdir()}
    lists = {name for name in files if not name.endswith(".expect.json")}
    assert {f"{name}.expect.json" for name in lists} | lists == files
