"""What a review costs, beside peers: uvicorn with static bytes, and a controller-runtime webhook that decodes the Pod.

Rounds in turn (static, gate, static again, controller-runtime), so that a noisy machine hits all. The figure is CPU
time of the server: it depends less on what else runs than requests a second, which wrk itself may bound.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loadtest.figure import Bar, Figure, divide
from loadtest.ground import Ground
from loadtest.load import Run, run_wrk
from loadtest.plan import Plan
from loadtest.reviews import SIZES, Size
from loadtest.servers import Server

AGAIN: Final = "static again (A/A)"
_BARS: Final = {"controller-runtime": Bar(1.7, is_least=True), "static": Bar(0.35, is_least=True)}


@dataclass(frozen=True, slots=True)
class Row:
    """One server in one size: medians of the rounds, and the range of the first."""

    size: str
    server: str
    median: Run
    least_cpu: float
    most_cpu: float


def measure_speed(ground: Ground, servers: dict[str, Server], plan: Plan) -> tuple[list[Row], list[Figure]]:
    """Measure every size."""
    rows: list[Row] = []
    figures: list[Figure] = []
    for size in SIZES:
        runs = _run_rounds(ground, servers, size, plan)
        rows += [_summarize(size, name, rounds) for name, rounds in runs.items()]
        figures += _divide(size, runs, is_barred=size is SIZES[0])
    return rows, figures


def _run_rounds(ground: Ground, servers: dict[str, Server], size: Size, plan: Plan) -> dict[str, list[Run]]:
    load = ground.load(size)
    turns = {"static": "static", "gate": "gate", AGAIN: "static", "controller-runtime": "controller-runtime"}
    runs: dict[str, list[Run]] = {turn: [] for turn in turns}
    for server in servers.values():
        run_wrk(server, load, 1)
    for number in range(plan.rounds):
        for turn, name in turns.items():
            run = run_wrk(servers[name], load, plan.seconds)
            runs[turn].append(run)
            print(f"  {size.name}, round {number + 1}: {turn} {run.cpu:.1f} µs, {run.rate:,.0f}/s", flush=True)
    return runs


def _summarize(size: Size, name: str, runs: list[Run]) -> Row:
    def take(column: Callable[[Run], float]) -> float:
        return statistics.median(map(column, runs))

    median = Run(
        take(lambda run: run.cpu), take(lambda run: run.rate), take(lambda run: run.p50), take(lambda run: run.p99)
    )
    cpus = [run.cpu for run in runs]
    return Row(size.name, name, median, min(cpus), max(cpus))


def _divide(size: Size, runs: dict[str, list[Run]], *, is_barred: bool) -> list[Figure]:
    cpus = {name: [run.cpu for run in rounds] for name, rounds in runs.items()}
    noise = divide(
        f"{size.name}: static again ÷ static (A/A: the noise)", cpus[AGAIN], cpus["static"], _say(cpus, AGAIN, "static")
    )
    return [noise] + [
        divide(
            f"{size.name}: {peer} ÷ gate",
            cpus[peer],
            cpus["gate"],
            _say(cpus, peer, "gate"),
            bar=bar if is_barred else None,
            noise=(noise.low, noise.high),
        )
        for peer, bar in _BARS.items()
    ]


def _say(cpus: dict[str, list[float]], above: str, below: str) -> str:
    medians = statistics.median(cpus[above]), statistics.median(cpus[below])
    return f"{medians[0]:.1f} µs / {medians[1]:.1f} µs, {len(cpus[above])} rounds"
