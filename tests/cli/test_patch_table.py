"""The live table: what it shows of images that are worked on and done, and that it never grows beyond the screen."""

import io
import re

import pytest
from rich.console import Console

from patchgate.cli.patch_table import LiveTable, choose_style, say_findings
from patchgate.patcher.progress import Outcome, Result, Step


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=160, height=12, color_system=None)


def draw(console: Console, table: LiveTable) -> list[str]:
    with console.capture() as capture:
        console.print(table.draw())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_an_image_shows_its_step_and_then_what_became_of_it(console: Console) -> None:
    table = LiveTable(console)
    table.begin_step("a.io/a:1", Step.SCAN, "linux/amd64")
    head, row, count = draw(console, table)
    assert head.split() == ["IMAGE", "STEP", "FINDINGS", "TIME"]
    assert row.split() == ["a.io/a:1", "scan", "linux/amd64", "0", "s"]
    assert count == "0 done, 1 being worked on"
    table.end_image(Outcome("a.io/a:1", Result.PATCHED, "", {"CRITICAL": 2, "HIGH": 5}, {"LOW": 1}))
    _, row, count = draw(console, table)
    assert re.split("  +", row)[:3] == ["a.io/a:1", "patched", "2 CRITICAL 5 HIGH → 1 LOW"]
    assert count == "1 done, 0 being worked on"


def test_it_fits_on_the_screen_and_never_leaves_out_what_is_worked_on(console: Console) -> None:
    table = LiveTable(console)
    for number in range(100):
        table.end_image(Outcome(f"a.io/done:{number}", Result.CLEAN, ""))
    for number in range(4):
        table.begin_step(f"a.io/working:{number}", Step.PATCH, "")
    lines = draw(console, table)
    assert len(lines) <= 12
    assert sum("working" in line for line in lines) == 4
    assert any("a.io/done:99" in line for line in lines)
    assert lines[-1] == "100 done, 4 being worked on"


def test_a_hostile_name_is_shown_as_text(console: Console) -> None:
    table = LiveTable(console)
    table.begin_step("[red]a\x1b[2J", Step.SCAN, "[/]")
    assert "[red]a�[2J" in draw(console, table)[1]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [({}, {}, "-"), ({"HIGH": 1}, {}, "1 HIGH → 0"), ({}, {"LOW": 2}, "0 → 2 LOW")],
)
def test_findings_are_said_before_and_after(before: dict[str, int], after: dict[str, int], said: str) -> None:
    assert say_findings(Outcome("a", Result.PENDING, "", before, after)) == said


def test_what_failed_is_red_and_what_waits_is_yellow() -> None:
    styles = {result: choose_style(result) for result in Result}
    assert {result for result, style in styles.items() if style == "red"} == {Result.FAILED, Result.LEFT}
    assert {result for result, style in styles.items() if style == "yellow"} == {Result.PENDING, Result.UNPATCHABLE}


def test_a_long_reference_is_folded_and_never_cut() -> None:
    narrow = Console(file=io.StringIO(), force_terminal=True, width=70, height=12, color_system=None)
    table = LiveTable(narrow)
    name = f"registry.example.com/a-team/with/a/long/path/{'x' * 60}:1.2.3"
    table.begin_step(name, Step.PATCH, "linux/amd64")
    head, *rows, _ = draw(narrow, table)
    assert "".join(row[: head.index("STEP")].strip() for row in rows) == name
