"""A curve of the results: rounds of measured CPU time over what grows. Pure."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a curve.

    Attributes:
        x: how much of what grows.
        name: the same, for people.
        rounds: what each round measured, in the curve's unit.
    """

    x: float
    name: str
    rounds: Sequence[float]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)


@dataclass(frozen=True, slots=True)
class Curve:
    """What something costs as one thing grows.

    Attributes:
        slug: names its picture.
        title: for people.
        grows: what grows, in the plural, as the table's first column.
        costs: what is measured, with its unit, as the second.
        each: one of what grows, as the column of the cost of each; empty where it must cost nothing.
        points: from the least to the most.
        note: what is behind it, for people.
    """

    slug: str
    title: str
    grows: str
    costs: str
    each: str
    points: Sequence[Point]
    note: str = ""
    others: Sequence[Point] = field(default=())  # rows of the table that are no place of the curve

    @property
    def ratio(self) -> float:
        """The cost of the most ÷ that of the least."""
        return self.points[-1].median / self.points[0].median

    def write_rows(self) -> list[tuple[str, ...]]:
        """Write the table's rows, its head first."""
        head = (self.grows, self.costs, "range", *([f"of each {self.each}"] if self.each else []))
        return [head, *(self._write_row(point, has_each=True) for point in self.points), *self._write_others()]

    def _write_others(self) -> list[tuple[str, ...]]:
        return [self._write_row(point, has_each=False) for point in self.others]

    def _write_row(self, point: Point, *, has_each: bool) -> tuple[str, ...]:
        spread = f"{say(min(point.rounds))} - {say(max(point.rounds))}"
        row = (point.name, say(point.median), spread)
        if not self.each:
            return row
        return (*row, say(point.median / point.x) if has_each else "-")


def say(value: float) -> str:
    """Say a cost with three figures at the least."""
    if value >= 100:  # noqa: PLR2004 -- three figures
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004
