"""Writes GROWTH.md, and says what its pictures show."""

from collections.abc import Iterable, Sequence
from typing import Final

from loadtest.figure import Figure
from loadtest.growth.curve import Curve
from loadtest.plot_data import Line, Plot
from loadtest.results import write_figures, write_table

_HEAD: Final = """# What grows

By `make load-growth` on {date}: {machine}.
The gate on 100,000 images in 170 ConfigMaps, on a core of its own; wrk on the other one. CPU is user and system time
of the gate, whatever it does meanwhile. A value is the median of the rounds, beside their range; the places of a curve
take turns. A ratio within the range of its A/A row, which divides a thing by itself, is no difference.
"""
_STEEP: Final = 20


def write_growth(curves: Iterable[Curve], figures: Iterable[Figure], date: str, machine: str) -> str:
    """Write the page: the bars first, then a section a curve."""
    text = _HEAD.format(date=date, machine=machine) + write_figures(figures)
    return text + "".join(map(_write_section, curves))


def make_plot(curve: Curve) -> Plot:
    """Say what a curve's picture shows: what grows by powers; the cost too, where it grows more than twentyfold."""
    points = curve.points
    line = Line(
        curve.costs,
        [point.x for point in points],
        [point.median for point in points],
        [min(point.rounds) for point in points],
        [max(point.rounds) for point in points],
    )
    others: Sequence[Line] = [
        Line(point.name, [points[0].x, points[-1].x], [point.median] * 2, is_level=True) for point in curve.others
    ]
    is_steep = curve.ratio > _STEEP
    return Plot(curve.title, curve.grows, curve.costs, (line, *others), is_log=True, is_steep=is_steep)


def _write_section(curve: Curve) -> str:
    head, *rows = curve.write_rows()
    picture = f"![{curve.title}: {curve.costs}](plots/growth-{curve.slug}.svg)"
    return f"\n## {curve.title}\n\n{curve.note}\n\n{picture}\n{write_table(head, rows)}"
