"""How the gate itself stands: what its decisions rest on, and what of the data does not count."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice

from patchgate.limits import PAGE_PROBLEMS, SHOWN_LINE_CHARACTERS
from patchgate.policy.pace import Pace
from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import show
from patchgate.server.page.moment import Moment, tell_moment
from patchgate.server.readiness import NOT_READ


@dataclass(frozen=True, slots=True)
class Health:
    """What the gate tells of itself.

    Attributes:
        read_at: when the source was last read, aware UTC; None before.
        problems: what the source could not read, and the clock's.
        obstacles: why the gate is not ready; empty if it is.
        certificate_expires: when the served certificate does, aware UTC; None while there is none.
    """

    read_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    obstacles: tuple[str, ...] = ()
    certificate_expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Something that does not count: where it stands, and what is wrong."""

    configmap: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Foundation:
    """What decisions rest on, in words.

    Attributes:
        read: when the source was last read.
        generation: the highest of the records in force.
        last_run: when a patcher last ran.
        certificate: when the served certificate expires.
        obstacles: why the gate is not ready, but for what the headline says already.
        problems: the first PAGE_PROBLEMS of what does not count.
        more: how many others there are.
    """

    read: Moment | None
    generation: int
    last_run: Moment | None
    certificate: Moment | None
    obstacles: tuple[str, ...]
    problems: tuple[ProblemView, ...]
    more: int


def make_foundation(snapshot: Snapshot | None, health: Health, now: datetime, pace: Pace = iter) -> Foundation:
    """Tell what decisions rest on. now: aware UTC."""
    problems = pace(chain(health.problems, snapshot.list_problems(now) if snapshot else ()))
    shown = tuple(map(_tell_problem, islice(problems, PAGE_PROBLEMS)))
    return Foundation(
        read=tell_moment(health.read_at, now),
        generation=snapshot.generation if snapshot else 0,
        last_run=tell_moment(snapshot.last_run if snapshot else None, now),
        certificate=tell_moment(health.certificate_expires, now),
        obstacles=tuple(each for each in health.obstacles if each != NOT_READ),
        problems=shown,
        more=_count(problems),
    )


def _tell_problem(problem: Problem) -> ProblemView:
    return ProblemView(
        *(show(text, SHOWN_LINE_CHARACTERS) for text in (problem.configmap, problem.place, problem.reason))
    )


def _count(problems: Iterator[Problem]) -> int:
    return sum(1 for _ in problems)
