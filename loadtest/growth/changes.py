"""Measures what a change costs as more ConfigMaps of records change at once, until it is in force.

Every record of a changed ConfigMap says something else than before, as after a whole run of the patcher, and its first
one comes or goes: by that image it is seen that the change is in force. CPU time of the gate, user and system, from the
first file's rename; the question whether it is in force costs about a millisecond each time. A count of the images by
state for the metrics, which the gate makes some seconds after a change, is waited for beforehand.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from loadtest.decisions import ask_decisions
from loadtest.growth.curve import Curve, Point
from loadtest.growth.plan import Plan
from loadtest.servers import Server, ServerError, connect
from loadtest.world_files import IMAGES, Change, write_configmap
from loadtest.worlds import RECORDS_PER_CONFIGMAP, make_records, name_image

_ALL: Final = -(-IMAGES // RECORDS_PER_CONFIGMAP)
_AT_ONCE: Final = (1, 2, 5, 10, 20, 50, 100, _ALL)
_FEW: Final = 10
_IN_FORCE_SECONDS: Final = 120
_QUIET_SECONDS: Final = 0.5
_QUIET_SHARE: Final = 0.04
_POLL_SECONDS: Final = 0.05


def measure_changes(directory: Path, gate: Server, plan: Plan) -> Curve:
    """Measure one ConfigMap changed, up to all of them."""
    states = {parity: [make_state(part, parity) for part in range(_ALL)] for parity in (0, 1)}
    seen = 0  # as the world was written
    points, latencies = [], []
    for at_once in _AT_ONCE:
        rounds, in_force = [], []
        for _ in range(plan.changes * (2 if at_once <= _FEW else 1)):
            seen = 1 - seen
            cpu, wall = _change(directory, gate, states[seen], at_once)
            rounds.append(cpu * 1e3)
            in_force.append(wall * 1e3)
        points.append(Point(at_once, f"{at_once}", rounds))
        latencies.append(f"{at_once}: {sorted(in_force)[len(in_force) // 2]:,.0f} ms")
        seen = _put_back(directory, gate, states, at_once, seen)
        print(f"  changes: {at_once} at once {points[-1].median:.0f} ms of CPU", flush=True)
    note = f"{RECORDS_PER_CONFIGMAP} records each, all of which change. From the rename until in force, median: "
    return Curve(
        "changes",
        "A change, as more ConfigMaps change at once",
        "ConfigMaps changed at once",
        "CPU ms until in force",
        "ConfigMap",
        points,
        note + "; ".join(latencies) + ".",
    )


def make_state(part: int, parity: int) -> Change:
    """Make one of two states of a ConfigMap of records: with parity 1 its first image has none, and all are older."""
    start = part * RECORDS_PER_CONFIGMAP
    numbers = range(start + parity, min(start + RECORDS_PER_CONFIGMAP, IMAGES))
    records = make_records(part, numbers, 2 + parity, datetime.now(UTC) - timedelta(minutes=parity))
    return Change(f"{records.name}.json", write_configmap(records))


def _change(directory: Path, gate: Server, states: Sequence[Change], at_once: int) -> tuple[float, float]:
    """Put the states of so many in force; give the seconds of CPU and of the clock that it took."""
    before = _ask(gate, at_once)
    _wait_until_quiet(gate)
    cpu, start = gate.cpu_seconds, time.monotonic()
    for state in states[:at_once]:
        state.write(directory)
    while True:
        time.sleep(_POLL_SECONDS)
        wall, used = time.monotonic() - start, gate.cpu_seconds - cpu
        if all(old != new for old, new in zip(before, _ask(gate, at_once), strict=True)):
            return used, wall
        if wall > _IN_FORCE_SECONDS:
            raise ServerError(f"{at_once} changes are not in force after {_IN_FORCE_SECONDS} s")


def _put_back(directory: Path, gate: Server, states: dict[int, list[Change]], at_once: int, seen: int) -> int:
    """Put back the first state where the other one is in force, so that the next number starts with all alike."""
    if not seen:
        return seen
    _change(directory, gate, states[0], at_once)
    return 0


def _wait_until_quiet(gate: Server) -> None:
    """Wait until the gate does nothing by itself, as far as can be seen."""
    deadline = time.monotonic() + _IN_FORCE_SECONDS
    while time.monotonic() < deadline:
        before = gate.cpu_seconds
        time.sleep(_QUIET_SECONDS)
        if gate.cpu_seconds - before <= _QUIET_SHARE * _QUIET_SECONDS:
            return
    raise ServerError(f"the gate does not rest within {_IN_FORCE_SECONDS} s, though it is asked nothing")


def _ask(gate: Server, at_once: int) -> list[object]:
    """Ask for the reason of the first image of each of so many ConfigMaps."""
    images = [name_image(part * RECORDS_PER_CONFIGMAP) for part in range(at_once)]
    return [decision["reason"] for decision in ask_decisions(connect(gate.port), images)]
