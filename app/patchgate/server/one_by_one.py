"""Costly work in turn: one piece per turn of the event loop, so that small reviews are answered in between."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

COSTLY_SECONDS: Final = 0.002
"""A review that took longer is costly: a usual one takes 0.05 ms, one of 1,000 images 8 ms."""


class OneByOne:
    """What waits, the oldest first. Used by the event loop alone."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, do: Callable[[], None]) -> None:
        """Have something done in its turn."""
        self._waiting.append(do)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._do_next)

    async def wait(self) -> None:
        """Wait for a turn."""
        turn = asyncio.Event()
        self.add(turn.set)
        await turn.wait()

    def _do_next(self) -> None:
        do = self._waiting[0]
        try:
            do()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._do_next)
