"""Servers that are measured in turns, so that a noisy machine hits all: rounds, their medians, ratios of their CPU."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.figure import Bar, Figure, divide
from loadtest.load import Load, Run, run_wrk
from loadtest.servers import Server


@dataclass(frozen=True, slots=True)
class Row:
    """One server under one load: medians of the rounds, and the range of the first.

    Attributes:
        what: what differs besides the server, such as the size of the reviews.
    """

    what: str
    server: str
    median: Run
    least_cpu: float
    most_cpu: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is, and what it is asked. seconds: the least that it takes, whatever the plan says."""

    server: Server
    load: Load
    seconds: int = 1


def run_turns(what: str, turns: Mapping[str, Turn], rounds: int, seconds: int) -> dict[str, list[Run]]:
    """Run so many rounds: in each of them every turn, in their order. Each is run once before, to be warm.

    Raises:
        ServerError: a server did not answer as expected.
    """
    runs: dict[str, list[Run]] = {name: [] for name in turns}
    for turn in {(turn.server.pid, turn.load): turn for turn in turns.values()}.values():
        run_wrk(turn.server, turn.load, turn.seconds)
    for number in range(rounds):
        for name, turn in turns.items():
            run = run_wrk(turn.server, turn.load, max(seconds, turn.seconds))
            runs[name].append(run)
            print(f"  {what}, round {number + 1}: {name} {run.cpu:.1f} µs, {run.rate:,.0f}/s", flush=True)
    return runs


def summarize_runs(what: str, name: str, runs: Sequence[Run]) -> Row:
    """Give the medians of a server's rounds."""

    def take(column: Callable[[Run], float]) -> float:
        return statistics.median(map(column, runs))

    median = Run(
        take(lambda run: run.cpu), take(lambda run: run.rate), take(lambda run: run.p50), take(lambda run: run.p99)
    )
    cpus = [run.cpu for run in runs]
    return Row(what, name, median, min(cpus), max(cpus))


def divide_cpu(
    what: str, above: Sequence[Run], below: Sequence[Run], *, bar: Bar | None = None, noise: Figure | None = None
) -> Figure:
    """Divide the CPU a review of one side by that of the other. noise: the A/A ratio."""
    cpus = [run.cpu for run in above], [run.cpu for run in below]
    detail = f"{statistics.median(cpus[0]):.1f} µs / {statistics.median(cpus[1]):.1f} µs, {len(above)} rounds"
    return divide(what, *cpus, detail, bar=bar, noise=(noise.low, noise.high) if noise else None)
