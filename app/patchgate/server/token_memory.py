"""Remembers for a while whether a token is known, by its checksum.

Used by the event loop alone: cachetools takes no lock.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from patchgate.limits import TOKEN_SECONDS, TOKENS_REMEMBERED


class TokenMemory:
    """Asks once of a token that many bring at a time, and not again for TOKEN_SECONDS.

    Known and unknown tokens have a memory each: whoever makes tokens up pushes out no real one.
    """

    def __init__(self, review: Callable[[str], Awaitable[bool]], seconds: float = TOKEN_SECONDS) -> None:
        self._review = review
        self._known: TTLCache[bytes, bool] = TTLCache(TOKENS_REMEMBERED, seconds)
        self._unknown: TTLCache[bytes, bool] = TTLCache(TOKENS_REMEMBERED, seconds)
        self._asked: dict[bytes, asyncio.Task[bool]] = {}

    async def is_known(self, token: str) -> bool:
        """Tell whether a token is known; what the review raises is raised, and not remembered."""
        key = hashlib.sha256(token.encode()).digest()
        if key in self._known:
            return True
        if key in self._unknown:
            return False
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.create_task(self._ask(key, token))
            task.add_done_callback(_take_error)
        return await asyncio.shield(task)  # who goes away takes the answer from nobody

    async def _ask(self, key: bytes, token: str) -> bool:
        try:
            is_known = await self._review(token)
        finally:
            del self._asked[key]
        (self._known if is_known else self._unknown)[key] = True
        return is_known


def _take_error(task: asyncio.Task[bool]) -> None:
    """Take an error that nobody may be left to hear of."""
    if not task.cancelled():
        task.exception()
