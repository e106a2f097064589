"""What a change costs while the gate serves a large world: memory, other requests' time, and the time until in force.

One ConfigMap of 170 is rewritten (atomic rename) once a second.

wrk keeps no fixed rate. So many connections wait, each for a random time (wrk's `delay`), between an answer and their
next request: together they are a stream of about 1,000 a second at random times, and latency is measured from each
sending. A stall much shorter than the mean wait catches as many requests as would have come in it, as it would with
callers who do not wait for each other. Connections begin a second late, so that no handshake is measured. At rest the
same files are written at the same times, to a directory that nobody watches.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from loadtest.decisions import ask_decisions
from loadtest.figure import Bar, Figure, divide, summarize
from loadtest.ground import Ground
from loadtest.load import run_wrk
from loadtest.plan import Plan
from loadtest.reviews import SIZES
from loadtest.servers import Server, ServerError, connect
from loadtest.world_files import Change, make_changes, name_changing_image

CONNECTIONS: Final = 100
DELAY: Final = 100  # ms on average: 100 connections / 0.1 s
_PERIOD: Final = 1.0  # s
_POLL: Final = 0.002  # s
_IN_FORCE_SECONDS: Final = 5
_MEMORY_BAR: Final = Bar(400)
_P99_BAR: Final = Bar(2)
_IN_FORCE_BAR: Final = Bar(999)


def measure_change(ground: Ground, gate: Server, plan: Plan) -> list[Figure]:
    """Measure all three."""
    changes = make_changes()
    figures = _measure_memory(ground, gate, plan, changes)
    figures += _measure_p99(ground, gate, plan, changes)
    figures.append(
        _peak(gate, "resident, at the peak of the changes under load", "the same at 1,000 requests a second")
    )
    return [*figures, _measure_in_force(ground, gate, plan, changes)]


def _measure_memory(ground: Ground, gate: Server, plan: Plan, changes: Iterator[Change]) -> list[Figure]:
    start, resident = gate.read_memory("VmHWM"), gate.read_memory("VmRSS")
    gate.forget_peak()
    _change_each_second(list(islice(changes, plan.swap_seconds)), ground.world, threading.Event())
    detail = f"a change a second for {plan.swap_seconds} s"
    return [
        Figure("resident, started", resident, resident, resident, "", unit="MiB"),
        Figure("resident, at the peak of starting", start, start, start, "", unit="MiB"),
        _peak(gate, "resident, at the peak of the changes", detail),
    ]


def _peak(gate: Server, what: str, detail: str) -> Figure:
    peak = gate.read_memory("VmHWM")
    return Figure(what, peak, peak, peak, detail, _MEMORY_BAR, unit="MiB")


def _measure_p99(ground: Ground, gate: Server, plan: Plan, changes: Iterator[Change]) -> list[Figure]:
    load = ground.load(SIZES[0], CONNECTIONS, DELAY)
    unwatched = ground.directory / "unwatched"
    unwatched.mkdir()
    turns = {"rest": unwatched, "changing": ground.world, "rest again": unwatched}
    p99: dict[str, list[float]] = {turn: [] for turn in turns}
    rates: list[float] = []
    for number in range(plan.change_rounds):
        for turn, directory in turns.items():
            prepared = list(islice(changes, plan.change_seconds + 1))
            stop = threading.Event()
            writer = threading.Thread(target=_change_each_second, args=(prepared, directory, stop))
            writer.start()
            try:
                run = run_wrk(gate, load, plan.change_seconds)
            finally:
                stop.set()
                writer.join()
            p99[turn].append(run.p99)
            rates.append(run.rate)
            print(f"  change, round {number + 1}: {turn} p99 {run.p99:.2f} ms at {run.rate:,.0f}/s", flush=True)
    detail = f"{len(rates)} runs of {plan.change_seconds} s at {sum(rates) / len(rates):,.0f} requests a second"
    again = divide("p99, at rest again ÷ at rest (A/A: the noise)", p99["rest again"], p99["rest"], detail)
    noise = again.low, again.high
    changing = divide(
        "p99, a change a second ÷ at rest", p99["changing"], p99["rest"], detail, bar=_P99_BAR, noise=noise
    )
    return [summarize(f"p99, {turn}", values, "ms", "") for turn, values in p99.items()] + [again, changing]


def _measure_in_force(ground: Ground, gate: Server, plan: Plan, changes: Iterator[Change]) -> Figure:
    next(changes).write(ground.world)  # what follows differs from this one, and each from the next
    time.sleep(2 * _PERIOD)
    times = []
    for change in islice(changes, plan.in_force):
        before = _ask(gate)
        change.write(ground.world)
        start = time.monotonic()
        while _ask(gate) == before:
            if time.monotonic() - start > _IN_FORCE_SECONDS:
                raise ServerError(f"a change is not in force after {_IN_FORCE_SECONDS} s")
            time.sleep(_POLL)
        times.append((time.monotonic() - start) * 1e3)
    worst = max(times)
    detail = (
        f"of {len(times)}, median {statistics.median(times):.0f} ms; /v1/decisions polled every {_POLL * 1e3:.0f} ms"
    )
    return Figure(
        "a change on disk → in force, the longest", worst, min(times), worst, detail, _IN_FORCE_BAR, unit="ms"
    )


def _change_each_second(changes: list[Change], directory: Path, stop: threading.Event) -> None:
    """Write one state after the other, until there is no other or it is told to stop."""
    for change in changes:
        if stop.wait(_PERIOD):
            return
        change.write(directory)


def _ask(gate: Server) -> object:
    """Ask for the reason that the changing image's verdict has now."""
    return ask_decisions(connect(gate.port), [name_changing_image()])[0]["reason"]
