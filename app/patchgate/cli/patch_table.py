"""A run of the patcher as people see it on a terminal: a live table while it goes on, and a summary."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.patcher.progress import Outcome, Result, Step
from patchgate.patcher.summary import Summary
from patchgate.policy.verdict import show

_IMAGE_WIDTH: Final = 30
"""Columns: narrower, a reference would be folded into too many lines."""


@dataclass(slots=True)
class _Row:
    """An image that is worked on, or done."""

    began: float
    step: str = ""
    detail: str = ""
    outcome: Outcome | None = None
    seconds: float = field(default=0.0)


class LiveTable:
    """Progress as a table that is drawn anew as long as the block lasts; it takes itself away at the end.

    Only the latest rows that fit on the screen are shown; images that wait are counted.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, _Row] = {}
        self._lock = threading.Lock()
        self._live = Live(get_renderable=self.draw, console=console, transient=True, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def begin_step(self, key: str, step: Step, detail: str) -> None:
        """Show what is done for an image now."""
        with self._lock:
            row = self._rows.setdefault(key, _Row(time.monotonic()))
            row.step, row.detail = step.value, detail

    def end_image(self, outcome: Outcome) -> None:
        """Show what became of an image."""
        with self._lock:
            row = self._rows.setdefault(outcome.key, _Row(time.monotonic()))
            row.outcome, row.seconds = outcome, time.monotonic() - row.began

    def warn(self, message: str) -> None:
        """Show what is odd and stops nothing, above the table."""
        self._console.print(Text(f"warning: {show(message, SHOWN_LINE_CHARACTERS)}"))

    def end_run(self, summary: Summary) -> None:
        """Show what of the data does not count; what the run came to is printed after the table."""
        for problem in summary.problems:
            self.warn(str(problem))

    def draw(self) -> Group:
        """Draw what there is now."""
        with self._lock:
            room = max(self._console.height - 4, 3)
            rows = list(self._rows.items())
            working = [(key, row) for key, row in rows if row.outcome is None]
            done = sorted(((key, row) for key, row in rows if row.outcome), key=lambda each: each[1].began)
            shown = [*done[-max(room - len(working), 0) :], *working][-room:] if len(rows) > room else [*done, *working]
            table = _make_table()
            for key, row in shown:
                table.add_row(*_make_cells(key, row), style=_choose_style(row))
            line = f"{len(done)} done, {len(working)} being worked on"
        return Group(table, Text(line, style="dim"))


def _make_table() -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("IMAGE", overflow="fold", min_width=_IMAGE_WIDTH)  # a reference is never cut
    for column in ("STEP", "FINDINGS", "TIME"):
        table.add_column(column, overflow="ellipsis", no_wrap=True)
    return table


def _make_cells(key: str, row: _Row) -> list[Text]:
    outcome = row.outcome
    step = outcome.result.value if outcome else f"{row.step} {row.detail}".strip()
    findings = say_findings(outcome) if outcome else ""
    seconds = row.seconds if outcome else time.monotonic() - row.began
    return [Text(show(cell, SHOWN_LINE_CHARACTERS)) for cell in (key, step, findings, f"{seconds:.0f} s")]


def _choose_style(row: _Row) -> str:
    return choose_style(row.outcome.result) if row.outcome else ""


def choose_style(result: Result) -> str:
    """Choose the style of a row."""
    match result:
        case Result.FAILED | Result.LEFT:
            return "red"
        case Result.PENDING | Result.UNPATCHABLE:
            return "yellow"
        case Result.PATCHED | Result.CLEAN | Result.UNCHANGED:
            return "green"


def say_findings(outcome: Outcome) -> str:
    """Say the fixable findings before and after: `2 CRITICAL 5 HIGH → 0`."""
    if not outcome.fixable_before and not outcome.fixable_after:
        return "-"
    return f"{_say_counts(outcome.fixable_before)} → {_say_counts(outcome.fixable_after)}"


def _say_counts(counts: Mapping[str, int]) -> str:
    return " ".join(f"{count} {severity}" for severity, count in counts.items() if count) or "0"
