"""Servers that are measured in turns, so that a noisy machine hits all: rounds, their medians, ratios of their CPU."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtest.figure import Bar, Figure, divide
from loadtest.load import Load, Run, run_wrk
from loadtest.plan import Plan
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


def run_turns(what: str, turns: Mapping[str, Server], load: Load, plan: Plan) -> dict[str, list[Run]]:
    """Run the rounds of a plan: in each of them every turn, in their order.

    Raises:
        ServerError: a server did not answer as expected.
    """
    runs: dict[str, list[Run]] = {turn: [] for turn in turns}
    for server in {server.pid: server for server in turns.values()}.values():
        run_wrk(server, load, 1)
    for number in range(plan.rounds):
        for turn, server in turns.items():
            run = run_wrk(server, load, plan.seconds)
            runs[turn].append(run)
            print(f"  {what}, round {number + 1}: {turn} {run.cpu:.1f} µs, {run.rate:,.0f}/s", flush=True)
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
