"""What a review costs, beside peers: uvicorn with static bytes, and a controller-runtime webhook that decodes the Pod.

Rounds in turn (static, gate, static again, controller-runtime), so that a noisy machine hits all. The figure is CPU
time of the server: it depends less on what else runs than requests a second, which wrk itself may bound.
"""

from typing import Final

from loadtest.figure import Bar, Figure
from loadtest.ground import Ground
from loadtest.load import Run
from loadtest.plan import Plan
from loadtest.reviews import SIZES, Size
from loadtest.servers import Server
from loadtest.turns import Row, Turn, divide_cpu, run_turns, summarize_runs

AGAIN: Final = "static again (A/A)"
CONTROLLER_RUNTIME_BAR: Final = Bar(2, is_least=True)
_BARS: Final = {"controller-runtime": CONTROLLER_RUNTIME_BAR, "static": Bar(0.45, is_least=True)}


def measure_speed(ground: Ground, servers: dict[str, Server], plan: Plan) -> tuple[list[Row], list[Figure]]:
    """Measure every size."""
    rows: list[Row] = []
    figures: list[Figure] = []
    for size in SIZES:
        runs = _run_rounds(ground, servers, size, plan)
        rows += [summarize_runs(size.name, name, rounds) for name, rounds in runs.items()]
        figures += _divide(size, runs, is_barred=size is SIZES[0])
    return rows, figures


def _run_rounds(ground: Ground, servers: dict[str, Server], size: Size, plan: Plan) -> dict[str, list[Run]]:
    turns = {"static": "static", "gate": "gate", AGAIN: "static", "controller-runtime": "controller-runtime"}
    load = ground.load(size)
    asked = {turn: Turn(servers[name], load) for turn, name in turns.items()}
    return run_turns(size.name, asked, plan.rounds, plan.seconds)


def _divide(size: Size, runs: dict[str, list[Run]], *, is_barred: bool) -> list[Figure]:
    noise = divide_cpu(f"{size.name}: static again ÷ static (A/A: the noise)", runs[AGAIN], runs["static"])
    return [noise] + [
        divide_cpu(f"{size.name}: {peer} ÷ gate", runs[peer], runs["gate"], bar=bar if is_barred else None, noise=noise)
        for peer, bar in _BARS.items()
    ]
