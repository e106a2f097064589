"""A figure is found in a results file by its row and column, or it is said what is missing."""

from pathlib import Path

import pytest

from loadtest.quoted.table import Cell, Quoted, QuoteError, read_cell

RESULTS = """# Measured

| size | server | CPU µs a review | requests/s |
| --- | --- | --- | --- |
| 5 KB | static | 28.1 | 28,841 |
| 5 KB | gate | 75.7 | 12,580 |

| what | value | range | bar | detail |
| --- | --- | --- | --- | --- |
| p99, rest | 0.94 ms | 0.54 ms - 1.64 ms | - | - |
| p99, rest again | 0.67 ms | - | - | - |
| p99, reloaded ÷ rest | 1.737 (missed) | 1.344 - 3.847 | ≤ 1.3 | 27.57 ms / 4517.06 ms, 5 rounds |
| idle | 0.27 % | - | ≤ 2 | of a core |
| twice | 1.000 | - | - | - |
| twice | 2.000 | - | - | - |
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "RESULTS.md").write_text(RESULTS, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("cell", "quoted"),
    [
        (Cell("RESULTS.md", "5 KB | gate", "CPU µs a review"), Quoted("75.7", "")),
        (Cell("RESULTS.md", "5 KB | gate", "requests/s"), Quoted("12,580", "")),
        (Cell("RESULTS.md", "p99, rest"), Quoted("0.94", "ms")),
        (Cell("RESULTS.md", "p99, rest", "range", 1), Quoted("1.64", "ms")),
        (Cell("RESULTS.md", "p99, reloaded ÷ rest"), Quoted("1.737", "")),
        (Cell("RESULTS.md", "p99, reloaded ÷ rest", "range", 1), Quoted("3.847", "")),
        (Cell("RESULTS.md", "p99, reloaded ÷ rest", "detail", 1), Quoted("4517.06", "ms")),
        (Cell("RESULTS.md", "idle"), Quoted("0.27", "%")),
    ],
)
def test_a_figure_is_found_with_its_unit(folder: Path, cell: Cell, quoted: Quoted) -> None:
    assert read_cell(cell, folder) == quoted


def test_its_number_has_no_commas() -> None:
    assert Quoted("12,580", "").value == 12580.0


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (Cell("OTHER.md", "idle"), "loadtest/OTHER.md is not there"),
        (Cell("RESULTS.md", "busy"), "has 0 rows that begin with `busy`"),
        (Cell("RESULTS.md", "p99"), "has 0 rows that begin with `p99`"),
        (Cell("RESULTS.md", "twice"), "has 2 rows that begin with `twice`"),
        (Cell("RESULTS.md", "idle", "p50"), "has no column `p50`"),
        (Cell("RESULTS.md", "idle", "range"), "has no figure 0"),
        (Cell("RESULTS.md", "idle", "value", 1), "has no figure 1"),
    ],
)
def test_what_is_missing_is_said(folder: Path, cell: Cell, said: str) -> None:
    with pytest.raises(QuoteError, match=said):
        read_cell(cell, folder)
