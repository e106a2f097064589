"""What a review costs, beside peers: uvicorn with static bytes, and a controller-runtime webhook that decodes the Pod.

Rounds in turn (static, gate, static again, controller-runtime), so that a noisy machine hits all. The figure is CPU
time of the server: it depends less on what else runs than requests a second, which wrk itself may bound.
"""

from typing import Final

from loadtest.figure import Bar, Figure
from loadtest.ground import Ground
from loadtest.load import Load, Run
from loadtest.plan import Plan
from loadtest.reviews import SIZES
from loadtest.servers import Server
from loadtest.turns import Row, Turn, divide_cpu, run_turns, summarize_runs

AGAIN: Final = "static again (A/A)"
CONTROLLER_RUNTIME_BAR: Final = Bar(3, is_least=True)
_BARS: Final = {"controller-runtime": CONTROLLER_RUNTIME_BAR, "static": Bar(0.40, is_least=True)}
_QUIET: Final = "700/s"
_QUIET_CONNECTIONS: Final = 70
_QUIET_DELAY: Final = 100  # ms on average: 70 connections / 0.1 s
_QUIET_SECONDS: Final = 5


def measure_speed(ground: Ground, servers: dict[str, Server], plan: Plan) -> tuple[list[Row], list[Figure]]:
    """Measure every size as fast as it goes, and the smallest and largest at a pace that leaves the core idle."""
    loads = {size.name: ground.load(size) for size in SIZES}
    for size in (SIZES[0], SIZES[-1]):
        loads[f"{size.name}, {_QUIET}"] = ground.load(size, _QUIET_CONNECTIONS, _QUIET_DELAY)
    rows: list[Row] = []
    figures: list[Figure] = []
    for what, load in loads.items():
        runs = _run_rounds(what, load, servers, plan)
        rows += [summarize_runs(what, name, rounds) for name, rounds in runs.items()]
        figures += _divide(what, runs, is_barred=what == SIZES[0].name)
    return rows, figures


def _run_rounds(what: str, load: Load, servers: dict[str, Server], plan: Plan) -> dict[str, list[Run]]:
    turns = {"static": "static", "gate": "gate", AGAIN: "static", "controller-runtime": "controller-runtime"}
    seconds = _QUIET_SECONDS if load.delay else 1
    asked = {turn: Turn(servers[name], load, seconds) for turn, name in turns.items()}
    return run_turns(what, asked, plan.rounds, plan.seconds)


def _divide(what: str, runs: dict[str, list[Run]], *, is_barred: bool) -> list[Figure]:
    noise = divide_cpu(f"{what}: static again ÷ static (A/A: the noise)", runs[AGAIN], runs["static"])
    return [noise] + [
        divide_cpu(f"{what}: {peer} ÷ gate", runs[peer], runs["gate"], bar=bar if is_barred else None, noise=noise)
        for peer, bar in _BARS.items()
    ]
