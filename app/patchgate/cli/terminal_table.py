"""A table for a terminal: as wide as that is, long cells folded, never cut, and its rows coloured."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text


def fold_table(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> str:
    """Give the table's text, with colours where the terminal has them. Cells are plain text, never markup."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row, style in zip(rows, styles, strict=True):
        table.add_row(*map(Text, row), style=style)
    console = Console(highlight=False)
    with console.capture() as capture:
        console.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().removesuffix("\n").split("\n"))
