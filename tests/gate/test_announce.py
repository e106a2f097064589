"""Telling people of problems, with a clock that the test moves: what is told, how often, in which order."""

import asyncio
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from patchgate.errors import SourceError
from patchgate.gate.announce import Announcer
from patchgate.gate.log import make_log
from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem
from patchgate.sources.event_message import write_message
from tests.world import NOW

WHERE_ELSE = "which /readyz?verbose lists"
LIST, TEAM = "copa-image-list", "team-images"
BAD_LINE, GONE = Problem(LIST, "line 2", "no image"), Problem(LIST, "", "is gone")
BAD_TEAM = Problem(TEAM, "line 9", "no image")


@dataclass
class Told:
    """An announcer, and those whom it tells."""

    now: datetime = NOW
    fault: str = ""
    refused: tuple[str, ...] = (LIST, TEAM)
    told: list[tuple[str, str]] = field(default_factory=list)
    on_told: Callable[[], object] = lambda: None
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.metrics = GateMetrics(CollectorRegistry())
        self.announcer = Announcer(self.tell, lambda: self.now, self.metrics, make_log(self.log))

    def tell(self, configmap: str, message: str, now: datetime) -> None:
        assert now == self.now
        if self.fault and configmap in self.refused:
            raise SourceError(self.fault)
        self.told.append((configmap, message))
        self.on_told()

    def note(self, *problems: Problem) -> None:
        self.announcer.note(problems, {LIST, TEAM})

    def go_on(self, times: int = 1, after_seconds: float = 0) -> list[tuple[str, str]]:
        """Let it tell so many times; gives what was told."""
        self.now += timedelta(seconds=after_seconds)
        self.told.clear()
        self.pauses = [asyncio.run(self.announcer.tell_one()) for _ in range(times)]
        return list(self.told)

    @property
    def logged(self) -> list[str]:
        return [json.loads(line)["why"] for line in self.log.getvalue().splitlines()]


def test_a_problem_is_told_once() -> None:
    people = Told()
    people.note(BAD_LINE)
    assert people.go_on(3) == [(LIST, "line 2: no image")]
    assert people.pauses == [5, 5, 5]


def test_the_problems_of_a_configmap_are_told_together() -> None:
    people = Told()
    people.note(GONE, BAD_TEAM, BAD_LINE)
    assert people.go_on(3) == [(LIST, "is gone; line 2: no image"), (TEAM, "line 9: no image")]


def test_what_is_of_no_configmap_is_not_told() -> None:
    people = Told()
    people.note(Problem("source", "", "kube-apiserver is down"))
    assert people.go_on() == []


def test_a_problem_that_lasts_is_told_again_when_its_event_is_gone() -> None:
    people = Told()
    people.note(BAD_LINE)
    people.go_on()
    assert people.go_on(after_seconds=3719) == []
    assert people.go_on(after_seconds=1) == [(LIST, "line 2: no image")]


def test_a_problem_that_comes_back_while_its_event_is_there_is_not_told_again() -> None:
    people = Told()
    people.note(BAD_LINE)
    people.go_on()
    people.note()
    people.go_on()
    people.note(BAD_LINE)
    assert people.go_on() == []


def test_one_that_always_has_another_problem_does_not_silence_the_others() -> None:
    people = Told()
    people.note(BAD_LINE)
    people.go_on()
    people.note(GONE, BAD_TEAM)
    assert people.go_on(after_seconds=5) == [(TEAM, "line 9: no image")]
    assert people.go_on(after_seconds=5) == [(LIST, "is gone")]


def test_what_cannot_be_told_is_counted_logged_once_and_tried_again_later() -> None:
    people = Told(fault="may not create events")
    people.note(BAD_LINE)
    people.go_on(3)
    assert people.pauses == [60, 60, 60]
    assert people.logged == ["may not create events"]
    assert people.metrics.registry.get_sample_value("patchgate_errors_total", {"where": "event"}) == 3.0
    people.fault = ""
    assert people.go_on() == [(LIST, "line 2: no image")]
    people.fault = "may not create events"
    people.note(GONE)
    people.go_on()
    assert people.logged == ["may not create events"] * 2


def test_one_that_is_always_refused_does_not_silence_the_others_and_is_logged_once() -> None:
    people = Told(fault="a ConfigMap of an unheard-of name", refused=(LIST,))
    people.note(BAD_LINE, BAD_TEAM)
    assert people.go_on() == []
    assert people.go_on(after_seconds=60) == [(TEAM, "line 9: no image")]
    assert people.go_on(after_seconds=5) == []
    people.note(BAD_LINE, Problem(TEAM, "line 8", "no image"))
    assert people.go_on(after_seconds=60) == [(TEAM, "line 8: no image")]
    assert people.go_on(after_seconds=5) == []
    assert people.logged == ["a ConfigMap of an unheard-of name"]


def test_a_configmap_that_goes_while_it_is_refused_is_forgotten() -> None:
    people = Told(fault="is gone")
    people.note(BAD_LINE)
    people.go_on()
    people.announcer.note([], set())
    people.note(BAD_LINE)
    people.go_on(after_seconds=60)
    assert people.logged == ["is gone"] * 2


def fail() -> None:
    raise KeyError("defect")


def test_a_defect_in_telling_is_said_and_lived_through() -> None:
    people = Told(on_told=fail)
    people.note(BAD_LINE)
    assert people.go_on(2) == [(LIST, "line 2: no image")] * 2
    assert people.logged == ["a defect of patchgate: KeyError('defect')"]


def test_a_message_holds_as_many_problems_as_there_is_room_for() -> None:
    message = write_message([Problem(LIST, f"line {number}", "é" * 80) for number in range(1, 5001)], WHERE_ELSE)
    assert len(message.encode()) <= 1000
    assert message.startswith(f"line 1: {'é' * 80}; line 2: é")
    assert message.endswith("é; and 4995 more, which /readyz?verbose lists")


def test_a_single_problem_that_is_too_long_is_cut_between_characters() -> None:
    assert write_message([Problem(LIST, "", "é" * 501)], WHERE_ELSE) == "é" * 500
    assert write_message([Problem(LIST, "", "x" + "é" * 500)], WHERE_ELSE) == "x" + "é" * 499


def test_it_goes_on_for_ever() -> None:
    people = Told()
    people.note(BAD_LINE)

    async def run_until_told() -> None:
        told = asyncio.Event()
        loop = asyncio.get_running_loop()
        people.on_told = lambda: loop.call_soon_threadsafe(told.set)
        running = asyncio.create_task(people.announcer.run())
        async with asyncio.timeout(20):
            await told.wait()
        assert running.cancel()

    asyncio.run(run_until_told())
