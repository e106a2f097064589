"""`make load-start`: a newcomer's first command beside the least that it could take; writes START.md.

A fresh clone and an empty HOME; pip's cache is warm, as both sides fill it first. The sides take turns.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, divide
from loadtest.machine import describe_machine
from loadtest.results import write_figures
from loadtest.verb import measure_in_folder

_ROOT: Final = Path(__file__).parent.parent
_RESULTS: Final = Path(__file__).parent / "START.md"
_HEAD: Final = """# The first command

By `make load-start` on {date}: {machine}.
In a fresh clone, with an empty HOME and a warm cache of pip: `make run ONCE=1`, which makes a virtual environment,
installs patchgate and shows two reviews, beside a virtual environment with `requirements/runtime.txt` alone.
CPU is the figure to go by where the machine does other work at the same time.
"""
_ROUNDS: Final = 3
_BAR: Final = Bar(1.3)
_RUN: Final = ("make", "run", "ONCE=1", "PORT=18443")
_LEAST: Final = (
    "sh",
    "-c",
    "python3 -m venv .least && .least/bin/pip install --quiet --no-deps --require-hashes -r requirements/runtime.txt",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took, in seconds.

    Attributes:
        wall: from its start to its end.
        cpu: of it and all that it started, user and system.
    """

    wall: float
    cpu: float


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    return measure_in_folder("load-start", measure)


def measure(folder: Path) -> Iterator[Figure]:
    """Measure both sides, after a round of each that is not taken."""
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "HTTP", "NO_", "SSL_"))},
        "PATH": os.environ["PATH"],
        "PIP_CACHE_DIR": str(folder / "cache"),
    }
    runs, least = list[Taken](), list[Taken]()
    for number in range(_ROUNDS + 1):
        runs.append(take(_RUN, make_clone(folder / f"{number}-run"), environment))
        least.append(take(_LEAST, make_clone(folder / f"{number}-least"), environment))
    del runs[0], least[0]  # they filled the cache
    figures = [
        compare(
            "`make run ONCE=1` ÷ a virtual environment",
            [each.wall for each in runs],
            [each.wall for each in least],
            _BAR,
        ),
        compare("the same, CPU", [each.cpu for each in runs], [each.cpu for each in least], _BAR),
    ]
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    yield from figures


def make_clone(folder: Path) -> Path:
    """Clone what is committed; its HOME is beside it, and empty."""
    subprocess.run(["/usr/bin/env", "git", "clone", "--quiet", str(_ROOT), str(folder)], check=True)
    folder.with_suffix(".home").mkdir()
    return folder


def take(command: Sequence[str], clone: Path, environment: dict[str, str]) -> Taken:
    """Run a command in a clone, which must succeed."""
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=clone,
        env={**environment, "HOME": str(clone.with_suffix(".home"))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Taken(time.monotonic() - began, usage.ru_utime + usage.ru_stime)


def compare(what: str, runs: Sequence[float], least: Sequence[float], bar: Bar) -> Figure:
    """Divide the seconds of both sides."""
    detail = f"{statistics.median(runs):.1f} s ÷ {statistics.median(least):.1f} s, {_ROUNDS} rounds"
    return divide(what, runs, least, detail, bar=bar)


if __name__ == "__main__":
    sys.exit(main())
