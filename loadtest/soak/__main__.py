"""`make load-soak`: mixed reviews for 20 minutes, with changes, rotations, bad bodies; writes SOAK.md and its plot."""

import argparse
import os
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from loadtest.figure import Figure
from loadtest.ground import Ground
from loadtest.machine import describe_machine
from loadtest.plot import draw
from loadtest.servers import Server, ServerError, choose_cores, choose_port
from loadtest.soak.bad import ask_badly, ask_slowly
from loadtest.soak.callers import Callee, ask_all, ask_ops, run_threads
from loadtest.soak.changes import change_list, change_policy, change_records, rotate, write_list, write_pair
from loadtest.soak.questions import Questions, make_templates
from loadtest.soak.tally import Tally
from loadtest.soak.watch import Sample, count_descriptors, count_threads, read_metrics, sample_memory, sum_metrics
from loadtest.soak.write import Soak
from loadtest.verb import measure_in_folder
from loadtest.world_files import write_world
from patchgate.pki.issue import Pair, issue_ca

_FOLDER: Final = Path(__file__).parents[1]
_MINUTES: Final = 20
_CALLERS: Final = 8
_RATE: Final = 400
_SLOW_CALLERS: Final = 3
_SETTLE_SECONDS: Final = 3
_CLOSED_SECONDS: Final = 60


def main() -> int:
    """Soak, write the results, and give the exit code: 1 where a bar is missed, 2 where it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="fewer, to try it out: SOAK.md stays")
    seconds = 60 * parser.parse_args().minutes
    return measure_in_folder("load-soak", lambda folder: _measure(folder, seconds))


def _measure(folder: Path, seconds: float) -> list[Figure]:
    soak = run_soak(folder, seconds)
    text = soak.write(f"{datetime.now(UTC):%Y-%m-%d}", describe_machine())
    if seconds >= 60 * _MINUTES:
        (_FOLDER / "plots").mkdir(exist_ok=True)
        draw(soak.make_plot(), _FOLDER / "plots" / "soak-memory.svg")
        (_FOLDER / "SOAK.md").write_text(text, encoding="utf-8")
    print(text)
    return soak.list_figures()


def run_soak(folder: Path, seconds: float) -> Soak:
    """Run the gate and all who ask it.

    Raises:
        ServerError: the gate did not start, or ended before it was told to.
    """
    authority = issue_ca("soak", datetime.now(UTC))
    (folder / "ca.crt").write_bytes(authority.certificate_pem)
    write_pair(folder, authority)
    ground, ops_port = Ground(folder), choose_port()
    write_world(ground.world)
    write_list(ground.world, [])
    with ground.run_gate(ops_port=ops_port) as gate:
        os.sched_setaffinity(0, {choose_cores()[1]})
        time.sleep(_SETTLE_SECONDS)
        callee = Callee(gate.port, ops_port, folder / "ca.crt")
        return _run(gate, callee, ground, authority, seconds)


def _run(gate: Server, callee: Callee, ground: Ground, authority: Pair, seconds: float) -> Soak:
    soak, tally = Soak(seconds), Tally()
    before = count_descriptors(gate.pid), count_threads(gate.pid)
    acts = _list_acts(gate, callee, ground, authority, tally, soak.samples)
    stop = threading.Event()
    with run_threads([partial(act, stop) for act in acts], stop):
        began = time.monotonic()
        while (left := seconds - (time.monotonic() - began)) > 0 and gate.is_running:
            time.sleep(min(10, left))
            print(f"  soak: {time.monotonic() - began:.0f} s, {tally.asked:,} asked, {tally.failures} failed, "
                  f"{gate.read_memory('VmRSS'):.0f} MiB", flush=True)  # fmt: skip
    if not gate.is_running:
        raise ServerError(f"the gate ended after {time.monotonic() - began:.0f} s: {tally.list_complaints()[:1]}")
    soak.seconds = time.monotonic() - began
    _wait_until_closed(gate, before[0])
    soak.descriptors, soak.threads = zip(before, (count_descriptors(gate.pid), count_threads(gate.pid)), strict=True)
    soak.rows, soak.complaints = tally.list_rows(), tally.list_complaints()
    soak.metrics = sum_metrics(read_metrics(callee.ops_port))
    return soak


def _list_acts(  # noqa: PLR0913, PLR0917 -- all that the acts take
    gate: Server,
    callee: Callee,
    ground: Ground,
    authority: Pair,
    tally: Tally,
    samples: list[Sample],
) -> list[Callable[[threading.Event], None]]:
    """List what runs side by side, each until it is stopped."""
    templates = make_templates()
    questions = (Questions(f"{number:08x}", random.Random(number), templates) for number in range(1, 1000))  # noqa: S311
    world = ground.world
    return [
        _bind(tally, sample_memory, gate, samples),
        *(_bind(tally, ask_all, callee, next(questions), _RATE / _CALLERS, tally) for _ in range(_CALLERS)),
        *(_bind(tally, ask_slowly, callee, next(questions), tally) for _ in range(_SLOW_CALLERS)),
        _bind(tally, ask_badly, callee, next(questions), tally),
        _bind(tally, ask_ops, callee, tally),
        _bind(tally, change_records, world, tally),
        _bind(tally, change_list, world, callee, tally),
        _bind(tally, change_policy, world, callee, tally),
        _bind(tally, rotate, ground.directory, authority, callee, tally),
    ]


def _bind(tally: Tally, act: Callable[..., None], *arguments: object) -> Callable[[threading.Event], None]:
    """Bind an act's arguments but the last; what goes wrong in it is a failure too."""

    def run(stopped: threading.Event) -> None:
        try:
            act(*arguments, stopped)
        except Exception as error:  # noqa: BLE001 -- a thread that ends unseen would ask nothing, and fail at nothing
            tally.note("the soak itself", repr(error))

    return run


def _wait_until_closed(gate: Server, before: int) -> None:
    """Wait until the gate has closed what its callers left open, but not for ever."""
    deadline = time.monotonic() + _CLOSED_SECONDS
    while count_descriptors(gate.pid) > before and time.monotonic() < deadline:
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
