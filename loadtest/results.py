"""Writes the results as Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from loadtest.figure import Figure
from loadtest.machine import describe_machine
from loadtest.turns import Row

_HEAD = """# Measured

By `make load` on {date}: {machine}{programs}.
Figures of one run are compared with each other: the sides take turns, so that a noisy machine hits all of them.
A value is the median of the rounds (of ratios: that of the medians), beside the range of the rounds' own.
A ratio within the range of its A/A row, which divides a thing by itself, is no difference.
"""
_SCALE = """
## Scale

CPU time. A decision takes as many steps in a large world as in a small one (the row with a bar). What it costs more
about images that are all different is memory: nothing of them is in the processor's caches.
"""
_SPEED = """
## Speed

A review over TLS on connections kept alive: the server on one core, wrk on the other. 2,000 distinct Pods of a size
(the recorded one, grown), every uid new; half of the images out of 20 hot ones, the other half not remembered.
The gate stands on {world}. Static bytes are uvicorn with the gate's settings
and no thought; the webhook is controller-runtime's, decoding the Pod and looking images up in a map of 20.
CPU is user and system time of the server. 16 connections ask as fast as they are answered: requests a second and
latency are wrk's as much as the server's. At 700/s (of a round's five seconds one is the beginning) the core is mostly
idle: each review comes alone, and caches are cold. Where the time goes: [PROFILE.md](PROFILE.md).
"""
_CHANGE = """
## Change

The gate on {world}, one of them rewritten each second.
How the p99 is measured is written in `loadtest/change.py`.
"""


@dataclass(slots=True)
class Results:
    """Everything measured.

    Attributes:
        world: the world, in words.
        programs: their versions, in words.
    """

    scale: list[Figure] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    speed: list[Figure] = field(default_factory=list)
    change: list[Figure] = field(default_factory=list)
    world: str = ""
    programs: str = ""

    @property
    def figures(self) -> list[Figure]:
        """All of them."""
        return [*self.scale, *self.speed, *self.change]

    def write(self) -> str:
        """Write every section that was measured."""
        programs = f". {self.programs}" if self.programs else ""
        text = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine(), programs=programs)
        if self.scale:
            text += _SCALE + write_figures(self.scale)
        if self.rows:
            text += _SPEED.format(world=self.world) + write_rows(self.rows) + write_figures(self.speed)
        if self.change:
            text += _CHANGE.format(world=self.world) + write_figures(self.change)
        return text


def write_rows(rows: Iterable[Row], what: str = "size") -> str:
    """Write rows as a table. what: the heading of what differs besides the server."""
    head = (what, "server", "CPU µs a review", "range", "requests/s", "p50 ms", "p99 ms")
    lines = [
        (
            row.what,
            row.server,
            f"{row.median.cpu:.1f}",
            f"{row.least_cpu:.1f} - {row.most_cpu:.1f}",
            f"{row.median.rate:,.0f}",
            f"{row.median.p50:.2f}",
            f"{row.median.p99:.2f}",
        )
        for row in rows
    ]
    return write_table(head, lines)


def write_figures(figures: Iterable[Figure]) -> str:
    """Write figures as a table."""
    lines = [
        (figure.what, _write_value(figure), _write_range(figure), str(figure.bar or "-"), figure.detail or "-")
        for figure in figures
    ]
    return write_table(("what", "value", "range", "bar", "detail"), lines)


def _write_value(figure: Figure) -> str:
    missed = "" if figure.is_met else " (missed)"
    return _write_number(figure, figure.value) + (" (no difference)" if figure.is_noise else "") + missed


def _write_range(figure: Figure) -> str:
    is_single = figure.low == figure.high
    return "-" if is_single else f"{_write_number(figure, figure.low)} - {_write_number(figure, figure.high)}"


def _write_number(figure: Figure, number: float) -> str:
    if not figure.unit:
        return f"{number:.3f}"
    return f"{number:.2f} {figure.unit}" if number < 10 else f"{number:.0f} {figure.unit}"  # noqa: PLR2004


def write_table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """Write a table in Markdown, an empty line before it."""
    rows = (head, ("---",) * len(head), *lines)
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)
