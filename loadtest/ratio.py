"""Ratios of CPU time: two sides in alternating rounds of one run, so that a noisy machine hits both."""

import statistics
import time
from collections.abc import Callable

from loadtest.figure import Bar, Figure, divide


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
    bar: Bar | None = None,
) -> Figure:
    """Measure both sides in alternating rounds."""
    above, below = [], []
    for _ in range(rounds):
        above.append(measure_cpu_seconds(numerator))
        below.append(measure_cpu_seconds(denominator))
    medians = statistics.median(above), statistics.median(below)
    detail = f"{medians[0] * 1e3:.2f} ms / {medians[1] * 1e3:.2f} ms, {rounds} rounds"
    return divide(what, above, below, detail, bar=bar)
