"""Turns: what people ask for is computed one thing at a time, in a thread, and so rarely that no review feels it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from patchgate.errors import RequestError
from patchgate.limits import PAGE_REST_SECONDS, PAGE_SHARE, PAGES_WAITING

_Result = TypeVar("_Result")
HasLeft = Callable[[], Awaitable[bool]]
"""Tells whether whoever asked has gone away, as Starlette's `Request.is_disconnected`."""


async def _stays() -> bool:
    return False


class Turns:
    """Gives each caller a turn; after it, a rest in proportion to the CPU time that it took. The caller never rests."""

    def __init__(
        self,
        share: float = PAGE_SHARE,
        most_seconds: float = PAGE_REST_SECONDS,
        most_waiting: int = PAGES_WAITING,
    ) -> None:
        """Begin without a rest.

        share: of a processor, how much all turns together may take.
        most_seconds: the longest rest.
        most_waiting: callers that have their turn or wait for it.
        """
        self._rests_per_second = 1 / share - 1
        self._most_seconds = most_seconds
        self._turn = asyncio.Lock()
        self._begins = 0.0  # by the loop's clock: when the next turn may
        self._most_waiting = most_waiting
        self._waiting = 0

    async def take(self, do: Callable[[], _Result], has_left: HasLeft = _stays) -> _Result:
        """Do it in a thread when it is its turn.

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

    async def _take(self, do: Callable[[], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(self._begins - loop.time(), 0))
        result, cpu_seconds = await asyncio.to_thread(_measure, do)
        self._begins = loop.time() + min(cpu_seconds * self._rests_per_second, self._most_seconds)
        return result


def _measure(do: Callable[[], _Result]) -> tuple[_Result, float]:
    start = time.thread_time()
    return do(), time.thread_time() - start
