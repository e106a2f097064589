"""The gate's clock, which never goes back: a machine's clock that is put back must not undo a denial in silence.

A denial for age (SLA breached, approval stale, exception expired) stands on `now`. So `now` is held at its high-water
mark while the machine's clock is behind it: for a step within the tolerated skew it stands still until that clock has
caught up; beyond, it goes on with the machine's monotonic clock from where it was, and people are told. A forward jump
is followed: whether it is right cannot be told from here.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final, Never

from structlog.typing import FilteringBoundLogger

from patchgate.limits import CLOCK_LOOK_SECONDS, CLOCK_SKEW_SECONDS
from patchgate.policy.part import Problem
from patchgate.policy.verdict import say_duration

_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)
_PLACE: Final = "the machine's clock"


class SteadyClock:
    """Gives a `now` that is never before one that it gave.

    It takes no lock: threads that ask at the same moment may differ by as much as a switch between them takes.
    """

    __slots__ = ("_mark", "_monotonic_seconds", "_since", "_wall")

    def __init__(self, wall: Callable[[], datetime], monotonic_seconds: Callable[[], float] = time.monotonic) -> None:
        """wall: the machine's clock, aware UTC. monotonic_seconds: one that cannot be set."""
        self._wall = wall
        self._monotonic_seconds = monotonic_seconds
        self._mark = wall()
        self._since: tuple[datetime, float] | None = None  # the mark when the clock was put back, and when that was

    def __call__(self) -> datetime:
        """Give now, aware UTC."""
        now = self._wall()
        if now < self._mark:
            now = self._hold(now)
        else:
            self._since = None
        self._mark = now
        return now

    @property
    def behind(self) -> timedelta:
        """By how much the machine's clock is behind; nothing where it is not."""
        return max(self() - self._wall(), timedelta())

    def list_problems(self) -> Iterator[Problem]:
        """List what is wrong with the machine's clock: nothing, or that it is behind by more than may be."""
        behind = self.behind
        if behind > _SKEW:
            reason = f"was put back by {say_duration(behind)}; time goes on from where it was"
            yield Problem(_PLACE, "", f"{reason}: restart the gate once that clock is right")

    def _hold(self, wall: datetime) -> datetime:
        """Hold the mark against a clock that is behind it."""
        if self._mark - wall <= _SKEW:
            self._since = None
            return self._mark
        since = self._since
        if since is None:
            since = self._since = self._mark, self._monotonic_seconds()
        mark, since_seconds = since
        return mark + timedelta(seconds=self._monotonic_seconds() - since_seconds)


async def watch_clock(clock: SteadyClock, log: FilteringBoundLogger) -> Never:
    """Say it once when the machine's clock is put back, and once when it is right again. Never ends."""
    was_behind = False
    while True:
        problem = next(clock.list_problems(), None)
        if problem and not was_behind:
            log.error("the clock does not count", why=f"{problem.configmap} {problem.reason}")
        elif was_behind and not problem:
            log.info("the clock counts again")
        was_behind = problem is not None
        await asyncio.sleep(CLOCK_LOOK_SECONDS)
