"""Ratios of CPU time: two sides in alternating rounds of one run, so that a noisy machine hits both."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the results.

    Attributes:
        what: what is divided by what.
        value: ratio of the medians.
        low: least of the rounds' own ratios.
        high: greatest of them.
        bar: the most that it may be; None for a row that only informs.
        detail: the medians themselves, for people.
    """

    what: str
    value: float
    low: float
    high: float
    bar: float | None
    detail: str

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within its bar."""
        return self.bar is None or self.value <= self.bar


def measure_cpu_seconds(act: Callable[[], object]) -> float:
    """Measure the CPU time (user and system) of this process for one act."""
    start = time.process_time()
    act()
    return time.process_time() - start


def compare(
    what: str,
    numerator: Callable[[], object],
    denominator: Callable[[], object],
    *,
    rounds: int,
    bar: float | None = None,
) -> Ratio:
    """Measure both sides in alternating rounds."""
    above, below = [], []
    for _ in range(rounds):
        above.append(measure_cpu_seconds(numerator))
        below.append(measure_cpu_seconds(denominator))
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    medians = statistics.median(above), statistics.median(below)
    detail = f"{medians[0] * 1e3:.2f} ms / {medians[1] * 1e3:.2f} ms, {rounds} rounds"
    return Ratio(what, medians[0] / medians[1], min(ratios), max(ratios), bar, detail)
