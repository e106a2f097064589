"""Runs the patcher for `patchgate patch`: shows it as it goes on, heeds signals, and says what it came to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from rich.console import Console

from patchgate.cli.options import Format
from patchgate.cli.patch_answer import print_previews, print_summary
from patchgate.cli.patch_table import LiveTable
from patchgate.cli.signals import end_on_signals
from patchgate.errors import SetupError
from patchgate.gate.log import make_log
from patchgate.limits import TERMINATION_BYTES
from patchgate.patcher.compose import open_tools
from patchgate.patcher.metrics_file import write_metrics
from patchgate.patcher.preview import Action, preview_run
from patchgate.patcher.progress import Progress
from patchgate.patcher.run import run_patcher
from patchgate.patcher.settings import PatcherSettings
from patchgate.patcher.side_by_side import Pace
from patchgate.patcher.step_log import StepLog
from patchgate.patcher.stop import Stop
from patchgate.patcher.summary import Summary
from patchgate.patcher.tools import Tools
from patchgate.policy.verdict import fit_bytes


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of one run.

    Attributes:
        images: those alone; none: all that is listed.
        pace: how many at once, how long.
        is_dry: whether only to say what would be done.
        output: how the answer is printed.
        metrics_file: where to say what the run was like; None: nowhere.
        termination_log: where to say the end in a line, if it is there.
    """

    images: tuple[str, ...]
    pace: Pace
    is_dry: bool
    output: Format
    metrics_file: Path | None
    termination_log: Path


class Display(Progress, Protocol):
    """Shows a run while it goes on."""

    def warn(self, message: str) -> None:
        """Show what is odd and stops nothing."""
        ...

    def end_run(self, summary: Summary) -> None:
        """Show what it came to, and what of the data does not count."""
        ...


def run_patch(settings: PatcherSettings, wish: Wish) -> int:
    """Run the patcher; give the exit code.

    Raises:
        SetupError: it cannot be begun.
    """
    try:
        return _preview(settings, wish) if wish.is_dry else _run(settings, wish)
    except SetupError as error:
        _say_end(wish.termination_log, f"could not start: {error}")
        raise


def _run(settings: PatcherSettings, wish: Wish) -> int:
    with _open_display() as display:
        with _open(settings, display) as tools:
            summary = run_patcher(tools, wish.pace, wish.images)
        display.end_run(summary)
        if wish.metrics_file:
            try:
                write_metrics(wish.metrics_file, summary)
            except OSError as error:
                display.warn(f"--metrics-file {wish.metrics_file} cannot be written: {error.strerror}")
    _say_end(wish.termination_log, str(summary))
    print_summary(summary, wish.output)
    return summary.exit_code


def _preview(settings: PatcherSettings, wish: Wish) -> int:
    with _open_display() as display, _open(settings, display) as tools:
        previews = preview_run(tools, wish.images)
    print_previews(previews, wish.output)
    return int(any(preview.action is Action.FAIL for preview in previews))


@contextmanager
def _open(settings: PatcherSettings, display: Display) -> Iterator[Tools]:
    stop = Stop()
    with (
        TemporaryDirectory(prefix="patchgate-") as directory,
        end_on_signals(stop, Path(directory)),
        open_tools(
            settings,
            clock=lambda: datetime.now(UTC),
            progress=display,
            stop=stop,
            warn=display.warn,
            directory=Path(directory),
        ) as tools,
    ):
        yield tools


@contextmanager
def _open_display() -> Iterator[Display]:
    """Open a live table for a person who looks on, else the log."""
    if sys.stderr.isatty():
        with LiveTable(Console(stderr=True)) as table:
            yield table
    else:
        yield StepLog(make_log(sys.stderr))


def _say_end(termination_log: Path, line: str) -> None:
    """Say the end where a Pod's status shows it (core/v1, `terminationMessagePath`); the kubelet has made the file."""
    with suppress(OSError):
        if termination_log.exists():
            termination_log.write_text(fit_bytes(" ".join(line.split()), TERMINATION_BYTES) + "\n", encoding="utf-8")
