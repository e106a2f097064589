"""What `make load-patch` writes has the rows that documents quote."""

from pathlib import Path

from loadtest.patch import Measured
from loadtest.patch_runs import Times
from loadtest.quoted.names import NAMES
from loadtest.quoted.table import Cell, Quoted, read_cell
from loadtest.results import write_figures


def measure_nothing(images: int, rounds: int, shards: list[float]) -> Measured:
    """Rounds of runs that took ever longer, and of an article's order that took 80 s."""
    measured = Measured(images, article=[(80.0, 64.0)] * rounds, shards=shards)
    for jobs, runs in measured.runs.items():
        runs += [Times(60.0 / jobs + number, 1.5, 8.0, 2.0) for number in range(rounds)]
    return measured


def test_every_row_that_is_quoted_is_written(tmp_path: Path) -> None:
    (tmp_path / "PATCH.md").write_text(write_figures(measure_nothing(10, 3, [16.0]).write()), encoding="utf-8")
    quoted = [name for name in NAMES.values() if isinstance(name, Cell) and name.file == "PATCH.md"]
    assert quoted
    for cell in quoted:
        assert read_cell(cell, tmp_path).value > 0


def test_the_run_of_the_default_jobs_is_compared(tmp_path: Path) -> None:
    (tmp_path / "PATCH.md").write_text(write_figures(measure_nothing(10, 3, [16.5]).write()), encoding="utf-8")
    ratio = Cell("PATCH.md", "10 images: first run ÷ the article's order")
    assert read_cell(ratio, tmp_path) == Quoted("0.200", "")  # 15, 16, 17 s of 80 s
    again = Cell("PATCH.md", "10 images: third run ÷ the article's order again")
    assert read_cell(again, tmp_path) == Quoted("0.125", "")
    assert read_cell(Cell("PATCH.md", "10 images: two shards ÷ one run"), tmp_path) == Quoted("1.100", "")
    assert read_cell(Cell("PATCH.md", "10 images: first run, --jobs 1"), tmp_path) == Quoted("61", "s")


def test_only_ten_images_have_a_bar() -> None:
    bars = {each.what: each.bar for images in (10, 50) for each in measure_nothing(images, 1, []).write()}
    assert [what for what, bar in bars.items() if bar] == ["10 images: first run ÷ the article's order"]
