"""Prints answers: tables for people, JSON for machines; problems of the data go to standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from unicodedata import combining, east_asian_width

from patchgate.limits import SHOWN_LINE_CHARACTERS
from patchgate.policy.part import Problem
from patchgate.policy.verdict import show


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str]) -> None:
    """Print a table: a row's style is that of its place in `styles`. Cells are plain text, never markup.

    A terminal folds long cells, so that no reference is cut; a pipe gets each row on one line.
    """
    cells = [[show(cell, SHOWN_LINE_CHARACTERS) for cell in row] for row in rows]
    if sys.stdout.isatty():
        from patchgate.cli.terminal_table import fold_table  # noqa: PLC0415 -- a pipe has no use for rich

        sys.stdout.write(fold_table(columns, cells, styles))
    else:
        sys.stdout.writelines(_align([list(columns), *cells]))


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align columns by what a terminal would show; the last is as long as it is."""
    sizes = [[count_columns(cell) for cell in row] for row in rows]
    widths = [max(column) for column in zip(*sizes, strict=True)]
    for row, row_sizes in zip(rows, sizes, strict=True):
        padded = (cell + " " * (width - size) for cell, size, width in zip(row, row_sizes, widths, strict=True))
        yield "  ".join(padded).rstrip() + "\n"


def count_columns(text: str) -> int:
    """Count the columns of a terminal that a text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(each) else 1 + (east_asian_width(each) in "WF") for each in text)


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
