"""docs/faults.md: each test of a fault stands in its line, and each test that it names is there."""

import re
from pathlib import Path

from tests.patch_faults.test_kill import POINTS

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "tests/faults"
PATCH_FAULTS = ROOT / "tests/patch_faults"
TEXT = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
LINES = dict(re.findall(r"^\| F(\d+) \|.*\| ([^|]+) \|$", TEXT, re.MULTILINE))
"""Number → the cell of its tests."""
OF_THE_PATCHER = dict(re.findall(r"^\| P(\d+) \|.*\| ([^|]+) \|$", TEXT, re.MULTILINE))
"""The same of the patcher's."""
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


def test_every_test_of_a_patchers_fault_stands_in_one_line() -> None:
    tests = sorted(str(path.relative_to(ROOT)) for path in PATCH_FAULTS.glob("test_*.py"))
    named = [
        name for cell in OF_THE_PATCHER.values() for name in names_in(cell) if name.startswith("tests/patch_faults/")
    ]
    assert (sorted(named), len(OF_THE_PATCHER)) == (tests, len(tests))


def test_as_many_steps_are_told_of_as_the_patcher_is_killed_at() -> None:
    assert len(POINTS) == 13
    assert "at any of thirteen steps" in TEXT
