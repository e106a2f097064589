"""A figure of the results: a value, the range of its rounds, and the bar that it must keep."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """What a value must be: at most a limit, or at least."""

    limit: float
    is_least: bool = False

    def is_met(self, value: float) -> bool:
        """Tell whether the value keeps the bar."""
        return value >= self.limit if self.is_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_least else '≤'} {self.limit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the results.

    Attributes:
        what: what was measured, or is divided by what.
        value: the median; of a ratio, the ratio of the medians.
        low: least of the rounds.
        high: greatest of them.
        detail: what stands behind it, for people.
        bar: None for a line that only informs.
        noise: range of the A/A ratio, in which another ratio is no difference; None where there is none.
        unit: empty for a ratio.
    """

    what: str
    value: float
    low: float
    high: float
    detail: str
    bar: Bar | None = None
    noise: tuple[float, float] | None = None
    unit: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the value keeps its bar."""
        return self.bar is None or self.bar.is_met(self.value)

    @property
    def is_noise(self) -> bool:
        """Whether the value is within the noise."""
        return self.noise is not None and self.noise[0] <= self.value <= self.noise[1]


def divide(  # noqa: PLR0913 -- the keywords are the columns of the line
    what: str,
    above: Sequence[float],
    below: Sequence[float],
    detail: str,
    *,
    bar: Bar | None = None,
    noise: tuple[float, float] | None = None,
) -> Figure:
    """Divide the rounds of one side by those of the other."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    value = statistics.median(above) / statistics.median(below)
    return Figure(what, value, min(ratios), max(ratios), detail, bar, noise)


def summarize(what: str, values: Sequence[float], unit: str, detail: str, *, bar: Bar | None = None) -> Figure:
    """Give the median of rounds."""
    return Figure(what, statistics.median(values), min(values), max(values), detail, bar, unit=unit)
