"""Tells people of problems where they look for them, at a pace: on a cluster, an Event on the ConfigMap.

One at a time and seldom, the longest untried first, so that a list of thousands of bad lines, or one that breaks and
mends all the time, costs what one bad line costs, and one that cannot be told silences no other. That it cannot be
told is logged once and never more.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Never, Protocol

from structlog.typing import FilteringBoundLogger

from patchgate.errors import SourceError
from patchgate.limits import EVENT_PAUSE_SECONDS, EVENT_REPEAT_SECONDS, EVENT_RETRY_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem
from patchgate.sources.event_message import write_message

_WHERE_ELSE: Final = "which /readyz?verbose lists"


class TellPeople(Protocol):
    """A way to tell people of a ConfigMap's problems."""

    def __call__(self, configmap: str, message: str, now: datetime) -> None:
        """Tell. Blocks.

        Raises:
            SourceError: it could not be told.
        """
        ...


@dataclass(slots=True)
class Announcer:
    """Keeps in mind what is to be told, and what was.

    Attributes:
        tell: the way to tell it.
        clock: gives now, aware UTC.
        metrics: counts what could not be told.
        log: told when it cannot be told.
    """

    tell: TellPeople
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    _messages: dict[str, str] = field(default_factory=dict)
    _told: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _tried: dict[str, datetime] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)

    def note(self, problems: Iterable[Problem], configmaps: Collection[str]) -> None:
        """Note the problems that there are now, of these ConfigMaps."""
        by_name: defaultdict[str, list[Problem]] = defaultdict(list)
        for problem in problems:
            if problem.configmap in configmaps:
                by_name[problem.configmap].append(problem)
        self._messages = {name: write_message(its, _WHERE_ELSE) for name, its in by_name.items()}
        self._tried = {name: tried for name, tried in self._tried.items() if name in configmaps}
        self._failures = {name: failure for name, failure in self._failures.items() if name in configmaps}

    def choose(self) -> str | None:
        """Choose the ConfigMap to tell of now: that which was tried longest ago, or never."""
        now = self.clock()
        oldest = timedelta(seconds=EVENT_REPEAT_SECONDS)
        self._told = {name: told for name, told in self._told.items() if abs(now - told[1]) < oldest}
        due = [name for name, message in self._messages.items() if self._told.get(name, ("", now))[0] != message]
        return min(due, key=lambda name: self._tried[name].timestamp() if name in self._tried else 0.0, default=None)

    async def run(self) -> Never:
        """Tell, for ever."""
        pause_seconds = 0.0
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = await self.tell_one()

    async def tell_one(self) -> float:
        """Tell what is due, if anything is. Gives how many seconds to wait."""
        name = self.choose()
        if name is None:
            return EVENT_PAUSE_SECONDS
        message, now = self._messages[name], self.clock()
        self._tried[name] = now
        try:
            await asyncio.to_thread(self.tell, name, message, now)
        except SourceError as error:
            self._note_failure(name, str(error))
            return EVENT_RETRY_SECONDS
        except Exception as error:  # noqa: BLE001 -- a defect of ours: an Event less is no reason to end
            self._note_failure(name, f"a defect of patchgate: {error!r}")
            return EVENT_RETRY_SECONDS
        self._told[name] = message, now
        self._failures.pop(name, None)
        return EVENT_PAUSE_SECONDS

    def _note_failure(self, name: str, failure: str) -> None:
        self.metrics.errors.labels("event").inc()
        if failure not in self._failures.values():
            self.log.warning("no Event could be written; all else goes on", why=failure)
        self._failures[name] = failure
