"""The life of the gate: serving, draining, ending. Told by signals, asked by probes and answers."""

import asyncio
import signal
from dataclasses import dataclass, field


@dataclass(slots=True)
class Life:
    """Where the gate is in its life.

    Attributes:
        drain_seconds: how long it serves on once told to stop.
        is_draining: whether it has been told: readiness fails, every answer closes its connection.
    """

    drain_seconds: float
    is_draining: bool = False
    _told: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Drain, then end; told a second time, end at once."""
        if self.is_draining:
            self._hurried.set()
        self.is_draining = True
        self._told.set()

    def hurry(self) -> None:
        """End without draining."""
        self._hurried.set()
        self.stop()

    async def wait_for_end(self) -> None:
        """Wait until it is time to end: told to, and drained or hurried."""
        await self._told.wait()
        try:
            async with asyncio.timeout(self.drain_seconds):
                await self._hurried.wait()
        except TimeoutError:
            pass

    async def wait_for_hurry(self) -> None:
        """Wait until it is told to end at once."""
        await self._hurried.wait()

    def listen_to_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop at SIGTERM (a cluster's way, drained); end at once at SIGINT (a person's Ctrl-C)."""
        loop.add_signal_handler(signal.SIGTERM, self.stop)
        loop.add_signal_handler(signal.SIGINT, self.hurry)
