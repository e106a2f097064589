"""`make load-cli`: the CPU of commands that people wait for, beside what Python needs for typer and rich alone.

Ratios of CPU time (user and system) of whole processes, in alternating rounds; writes COMMAND_LINE.md.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, divide
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from loadtest.verb import measure_in_folder, read_quick
from loadtest.worlds import list_configmaps, name_image
from tests.conftest import write_configmaps
from tests.world import exceptions

_RESULTS: Final = Path(__file__).parent / "COMMAND_LINE.md"
_HEAD: Final = """# What the command line costs

By `make load-cli` on {date}: {machine}.
CPU (user and system) of whole processes, the two sides of a ratio in turn, {rounds} rounds, their output not shown.
`check` reads a directory of ConfigMaps with {few} images and an exception, `report` one with {many:,} images.
"""
_ROUNDS: Final = 15
_QUICK_ROUNDS: Final = 3
_FEW, _MANY = 5, 5000
_BASE: Final = "python -c 'import typer, rich'"
_HELP_BAR: Final = Bar(1.6)
_CHECK_BAR: Final = Bar(3)
_TABLE_BAR: Final = Bar(2)
_GOOD: Final = "{image: 'registry.example.com/other:*', reason: r, owner: o, expires: 2027-05-15T00:00:00Z}"
_EXIT_CODES: Final = (0, 1)  # of an answer, whatever it is


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed."""
    is_quick = read_quick("loadtest.command_line", __doc__, _RESULTS.name)
    rounds = _QUICK_ROUNDS if is_quick else _ROUNDS
    return measure_in_folder("load-cli", lambda folder: _measure_all(folder, rounds, is_quick=is_quick))


def _measure_all(folder: Path, rounds: int, *, is_quick: bool) -> list[Figure]:
    few, many = folder / "few", folder / "many"
    few.mkdir()
    many.mkdir()
    write_configmaps(few, *list_configmaps(_FEW), exceptions(f"- {_GOOD}"))
    write_configmaps(many, *list_configmaps(_MANY))
    figures = list(_measure(few, many, rounds))
    date = f"{datetime.now(UTC):%Y-%m-%d}"
    head = _HEAD.format(date=date, machine=describe_machine(), rounds=rounds, few=_FEW, many=_MANY)
    text = head + write_figures(figures)
    if not is_quick:
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return figures


def _measure(few: Path, many: Path, rounds: int) -> Iterator[Figure]:
    base = [sys.executable, "-c", "import typer, rich"]
    patchgate = [sys.executable, "-m", "patchgate"]
    again = _compare(f"{_BASE} again ÷ the same (A/A: the noise)", base, base, rounds)
    yield again
    yield _compare(f"patchgate --help ÷ {_BASE}", [*patchgate, "--help"], base, rounds, _HELP_BAR)
    check = [*patchgate, "check", "--source", str(few), name_image(0)]
    yield _compare(f"patchgate check IMAGE ÷ {_BASE}", check, base, rounds, _CHECK_BAR)
    report = [*patchgate, "report", "--source", str(many), "-o"]
    what = f"patchgate report of {_MANY:,} images, -o table ÷ -o json"
    yield _compare(what, [*report, "table"], [*report, "json"], rounds, _TABLE_BAR)


def _compare(what: str, above: list[str], below: list[str], rounds: int, bar: Bar | None = None) -> Figure:
    """Run both commands in alternating rounds; the first round of each fills the caches and is left out."""
    pairs = [(_measure_seconds(above), _measure_seconds(below)) for _ in range(rounds + 1)][1:]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    detail = f"{sorted(first)[rounds // 2] * 1e3:.0f} ms / {sorted(second)[rounds // 2] * 1e3:.0f} ms"
    return divide(what, first, second, detail, bar=bar)


def _measure_seconds(command: list[str]) -> float:
    """Run a command, its output read by nobody; give its CPU time (getrusage(2))."""
    quiet = [(os.POSIX_SPAWN_OPEN, place, os.devnull, os.O_WRONLY, 0) for place in (1, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in _EXIT_CODES:
        raise ValueError(f"{' '.join(command)}: exit code {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
