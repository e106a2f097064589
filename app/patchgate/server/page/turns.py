"""Turns: what the page computes, one thing at a time, in a thread, and rarely enough that reviews do not feel it."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

from patchgate.limits import PAGE_SHARE

_Result = TypeVar("_Result")


class Turns:
    """Gives each caller a turn; after it, a rest in proportion to the CPU time that it took. The caller never rests."""

    def __init__(self, share: float = PAGE_SHARE) -> None:
        """share: of a processor, how much all turns together may take."""
        self._rests_per_second = 1 / share - 1
        self._turn = asyncio.Lock()
        self._begins = 0.0  # by the loop's clock: when the next turn may

    async def take(self, do: Callable[[], _Result]) -> _Result:
        """Do it in a thread when it is its turn."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            await asyncio.sleep(max(self._begins - loop.time(), 0))
            result, cpu_seconds = await asyncio.to_thread(_measure, do)
            self._begins = loop.time() + cpu_seconds * self._rests_per_second
        return result


def _measure(do: Callable[[], _Result]) -> tuple[_Result, float]:
    start = time.thread_time()
    return do(), time.thread_time() - start
