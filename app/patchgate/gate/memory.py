"""Gives memory back to the system when a crowd of connections has gone: the C library itself keeps what it may need."""

import asyncio
import gc
from dataclasses import dataclass
from typing import Final, Never

from patchgate.gate.allocator import give_back_free_memory
from patchgate.server.budget import Budget

LOOK_SECONDS: Final = 5
"""How often it is looked whether the crowd has gone."""
CONNECTION_BYTES: Final = 64 * 1024
"""What a connection takes beside what it holds (measured: 58 KB)."""
GONE_BYTES: Final = 1024 * 1024
"""What must have been freed since the last time: giving back takes milliseconds, and so does asking again."""


@dataclass(slots=True)
class MemoryKeeper:
    """Looks at what connections take, and gives back what they left.

    Attributes:
        budget: of all connections.
    """

    budget: Budget

    async def run(self) -> Never:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self.has_shrunk():
                gc.collect()  # a connection, its transport and its parser refer to each other
                await asyncio.to_thread(give_back_free_memory)

    def has_shrunk(self) -> bool:
        """Tell whether connections take much less now than they did since this was true last."""
        now_bytes = self.budget.connections * CONNECTION_BYTES + self.budget.held_bytes
        most_bytes = self.budget.most_connections * CONNECTION_BYTES + self.budget.most_held_bytes
        if most_bytes - now_bytes < GONE_BYTES:
            return False
        self.budget.forget_most()
        return True
