"""Turns: what people ask for is computed one thing at a time, in a thread, at a pace that reviews do not feel."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import TypeVar

from patchgate.errors import RequestError
from patchgate.limits import PAGE_SHARE, PAGES_WAITING
from patchgate.policy.pace import Pace
from patchgate.server.slices import Slices

_Result = TypeVar("_Result")
HasLeft = Callable[[], Awaitable[bool]]
"""Tells whether whoever asked has gone away, as Starlette's `Request.is_disconnected`."""


async def _stays() -> bool:
    return False


class Turns:
    """Gives each caller a turn, and its work a pace. What a turn leaves of its last slice is the next one's."""

    def __init__(self, share: float = PAGE_SHARE, most_waiting: int = PAGES_WAITING) -> None:
        """Begin with a whole slice.

        share: of a processor, how much all turns together may take.
        most_waiting: callers that have their turn or wait for it.
        """
        self._share = share
        self._turn = asyncio.Lock()
        self._taken_seconds = 0.0  # of the last slice
        self._most_waiting = most_waiting
        self._waiting = 0

    async def take(self, do: Callable[[Pace], _Result], has_left: HasLeft = _stays) -> _Result:
        """Do it in a thread when it is its turn, at the pace that it is given.

        Raises:
            RequestError: too many wait already, or whoever asked has left meanwhile.
        """
        if self._waiting >= self._most_waiting:
            raise RequestError(503, "too many pages are asked for at once: ask again")
        self._waiting += 1
        try:
            async with self._turn:
                if await has_left():
                    raise RequestError(503, "nobody waits for it any more")
                return await self._take(do)
        finally:
            self._waiting -= 1

    async def _take(self, do: Callable[[Pace], _Result]) -> _Result:
        given_up = Event()
        try:
            return await asyncio.to_thread(self._do, do, given_up)
        finally:
            given_up.set()

    def _do(self, do: Callable[[Pace], _Result], given_up: Event) -> _Result:
        slices = Slices(self._share, given_up, self._taken_seconds)
        slices.rest_if_due()
        try:
            return do(slices)
        finally:
            self._taken_seconds = slices.taken_seconds
