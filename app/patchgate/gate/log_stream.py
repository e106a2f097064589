"""A stream for the log that writes many lines at once: a denial must not wait for a system call of its own.

Lines that are gathered are written within LOG_GATHER_SECONDS, and all of them at the end; a process that is killed
outright loses those of that time.
"""

import asyncio
from typing import TextIO

from patchgate.limits import LOG_GATHER_BYTES, LOG_GATHER_SECONDS


class LogStream:
    """Writes through until it is told of an event loop, then gathers; that loop alone may write then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lines: list[str] = []
        self._size = 0
        self.lost_lines = 0
        self._timer: asyncio.TimerHandle | None = None

    def gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Gather lines from now on."""
        self._loop = loop

    def write(self, line: str, /) -> int:
        """Take a line."""
        self._lines.append(line)
        self._size += len(line)
        return len(line)

    def flush(self) -> None:
        """Write what was taken: at once, or soon."""
        if self._loop is None or self._size > LOG_GATHER_BYTES:
            self.write_out()
        elif self._timer is None:
            self._timer = self._loop.call_later(LOG_GATHER_SECONDS, self.write_out)

    def write_out(self) -> None:
        """Write what was taken."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        lines, self._lines, self._size = self._lines, [], 0
        try:
            self._stream.write("".join(lines))
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads it any more, or the disk is full: no verdict may be lost by that
            self.lost_lines += len(lines)

    def isatty(self) -> bool:
        """Tell whether a person reads along."""
        return self._stream.isatty()
