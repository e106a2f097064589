"""The gate's clock goes forward with the machine's, and never back with it."""

import asyncio
import io
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchgate.gate.clock import SteadyClock, watch_clock
from patchgate.gate.log import make_log
from patchgate.limits import CLOCK_SKEW_SECONDS
from tests.world import NOW

SKEW = timedelta(seconds=CLOCK_SKEW_SECONDS)
HOUR = timedelta(hours=1)


@dataclass
class Machine:
    """A machine whose clock can be set; its monotonic clock cannot."""

    wall: datetime = NOW
    monotonic_seconds: float = 1000.0
    clock: SteadyClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SteadyClock(lambda: self.wall, lambda: self.monotonic_seconds)

    def set(self, by: timedelta) -> None:
        self.wall += by

    def wait(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.monotonic_seconds += seconds

    @property
    def problems(self) -> list[str]:
        return list(map(str, self.clock.list_problems()))


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_time_goes_on_with_the_machines_clock(machine: Machine) -> None:
    machine.wait(10)
    assert machine.clock() == NOW + timedelta(seconds=10)
    assert (machine.clock.behind, machine.problems) == (timedelta(), [])


def test_a_jump_forward_is_followed(machine: Machine) -> None:
    machine.set(48 * HOUR)
    assert (machine.clock(), machine.problems) == (NOW + 48 * HOUR, [])


def test_after_a_small_step_back_time_stands_still_until_the_machines_clock_has_caught_up(machine: Machine) -> None:
    machine.set(-SKEW)
    machine.wait(60)
    assert (machine.clock(), machine.clock.behind, machine.problems) == (NOW, SKEW - timedelta(seconds=60), [])
    machine.wait(CLOCK_SKEW_SECONDS)
    assert (machine.clock(), machine.clock.behind) == (machine.wall, timedelta())


def test_after_a_jump_back_time_goes_on_from_where_it_was_and_that_is_said(machine: Machine) -> None:
    machine.set(-3 * HOUR)
    assert machine.clock() == NOW
    machine.wait(90)
    assert machine.clock() == NOW + timedelta(seconds=90)
    assert machine.clock.behind == 3 * HOUR
    said = "was put back by 3 h; time goes on from where it was: restart the gate once that clock is right"
    assert machine.problems == [f"the machine's clock: {said}"]


def test_a_second_jump_back_changes_nothing(machine: Machine) -> None:
    for _ in range(2):
        machine.set(-3 * HOUR)
        machine.clock()
        machine.wait(90)
    assert machine.clock() == NOW + timedelta(seconds=180)
    assert machine.clock.behind == 6 * HOUR


def test_a_clock_that_is_set_right_counts_again(machine: Machine) -> None:
    machine.set(-3 * HOUR)
    machine.clock()
    machine.wait(90)
    machine.set(3 * HOUR)
    assert (machine.clock(), machine.problems) == (machine.wall, [])
    machine.set(-2 * HOUR)  # another time, from another mark
    assert machine.clock() == NOW + timedelta(seconds=90)


@given(st.lists(st.tuples(st.floats(-400_000, 400_000), st.floats(0, 10_000)), max_size=30))
def test_whatever_the_machines_clock_does_time_never_goes_back(moves: list[tuple[float, float]]) -> None:
    machine = Machine()
    given_out = [machine.clock()]
    for by_seconds, waited_seconds in moves:
        machine.set(timedelta(seconds=by_seconds))
        given_out.append(machine.clock())
        machine.wait(waited_seconds)
        given_out.append(machine.clock())
        assert machine.clock() >= machine.wall
    assert given_out == sorted(given_out)


def test_it_is_said_once_that_the_clock_was_put_back_and_once_that_it_is_right(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patchgate.gate.clock.CLOCK_LOOK_SECONDS", 0)
    said = io.StringIO()

    async def watch() -> None:
        watching = asyncio.create_task(watch_clock(machine.clock, make_log(said)))
        for by in (timedelta(), -3 * HOUR, -HOUR, 4 * HOUR, timedelta()):
            machine.set(by)
            for _ in range(10):
                await asyncio.sleep(0)
        watching.cancel()

    asyncio.run(watch())
    lines = [json.loads(line) for line in said.getvalue().splitlines()]
    assert [(line["level"], line["event"]) for line in lines] == [
        ("error", "the clock does not count"),
        ("info", "the clock counts again"),
    ]
    assert lines[0]["why"].startswith("the machine's clock was put back by 3 h; ")
