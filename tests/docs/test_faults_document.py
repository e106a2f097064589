"""docs/faults.md: each test of a fault stands in its line, and each test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "tests/faults"
TEXT = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
LINES = dict(re.findall(r"^\| F(\d+) \|.*\| ([^|]+) \|$", TEXT, re.MULTILINE))
"""Number → the cell of its tests."""
APPLY = {*range(1, 16), *range(18, 25)}


def names_in(text: str) -> list[str]:
    return re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", text)


def test_every_fault_that_applies_has_a_line_and_tests_in_it() -> None:
    assert {int(number) for number in LINES} == APPLY
    assert [number for number, cell in LINES.items() if not names_in(cell)] == []


def test_every_test_that_is_named_is_there() -> None:
    paths = [ROOT / name if "/" in name else FAULTS / name for name in names_in(TEXT)]
    assert [path for path in paths if not path.exists()] == []


def test_every_test_of_a_fault_stands_in_the_line_of_its_number() -> None:
    tests = sorted(path.name for path in FAULTS.glob("test_*.py"))
    misplaced = [name for name in tests if name not in names_in(LINES.get(str(int(name[6:8])), ""))]
    assert (misplaced, len(tests) >= len(APPLY) - 1) == ([], True)
