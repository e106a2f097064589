"""Reads figures out of the results files: a row by its first cells, a column by its head."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FIGURE: Final = re.compile(r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)(?: (?P<unit>µs|ms|s|MiB|%|/s)(?![^ ,;/|]))?")
_FOLDER: Final = Path(__file__).parents[1]


class QuoteError(Exception):
    """A document or a name quotes what is not there."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a figure stands.

    Attributes:
        file: of `loadtest/`.
        row: its first cells, as they stand there, with ` | ` between them.
        column: the head of its column.
        number: which of the cell's figures: 0 is the first; a range has two.
    """

    file: str
    row: str
    column: str = "value"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Quoted:
    """A figure as a results file writes it.

    Attributes:
        text: its digits, such as `12,580` or `75.7`.
        unit: empty where the cell has none.
    """

    text: str
    unit: str

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.text.replace(",", ""))


def read_cell(cell: Cell, folder: Path = _FOLDER) -> Quoted:
    """Read a figure.

    Raises:
        QuoteError: there is no such file, row, column or figure, or more rows than one.
    """
    file = folder / cell.file
    if not file.is_file():
        raise QuoteError(f"loadtest/{cell.file} is not there")
    rows = [row for row in _read_rows(file.read_text(encoding="utf-8")) if _begins(row, cell.row)]
    if len(rows) != 1:
        raise QuoteError(f"loadtest/{cell.file} has {len(rows)} rows that begin with `{cell.row}`: it must be one")
    text = rows[0].get(cell.column)
    if text is None:
        raise QuoteError(f"loadtest/{cell.file}: the row `{cell.row}` has no column `{cell.column}`")
    found = list(_FIGURE.finditer(text))
    if len(found) <= cell.number:
        raise QuoteError(f"loadtest/{cell.file}: `{text}` in the row `{cell.row}` has no figure {cell.number}")
    return Quoted(found[cell.number]["number"], found[cell.number]["unit"] or "")


def _read_rows(text: str) -> Iterator[dict[str, str]]:
    """Give each row of each table: head of the column → cell."""
    head: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            head = []
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not head:
            head = cells
        elif set(line) - set("|- "):
            yield dict(zip(head, cells, strict=False))


def _begins(row: dict[str, str], beginning: str) -> bool:
    wanted = beginning.split(" | ")
    return list(row.values())[: len(wanted)] == wanted
