"""Prints answers: tables for people, JSON for machines; problems of the data go to standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.part import Problem
from patchgate.policy.verdict import show

_ANY_WIDTH: Final = 100_000


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str]) -> None:
    """Print a table: a row's style is that of its place in `styles`. Cells are plain text, never markup.

    Only a terminal folds long cells; a pipe gets each row on one line.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row, style in zip(rows, styles, strict=True):
        table.add_row(*(Text(show(cell, SHOWN_LINE_CHARACTERS)) for cell in row), style=style)
    console = Console(highlight=False)
    if not sys.stdout.isatty():
        console.width = console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
    with console.capture() as capture:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in capture.get().removesuffix("\n").split("\n"))


def print_line(line: str) -> None:
    """Print a line of plain text."""
    sys.stdout.write(f"{show(line, SHOWN_LINE_CHARACTERS)}\n")


def print_json(content: object) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def print_problems(problems: Iterable[Problem]) -> None:
    """Say what of the data does not count, a line each."""
    for problem in problems:
        sys.stderr.write(f"warning: {show(str(problem), SHOWN_LINE_CHARACTERS)}\n")
