"""The transport of one answer: its close waits for the rest of the request."""

import asyncio
from collections.abc import Callable


class LingeringTransport(asyncio.Transport):
    """What uvicorn writes an answer to. Its close waits, as an early reset would overtake the answer."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        super().__init__()
        self._transport = transport
        self._close = close

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write through."""
        self._transport.write(data)

    def is_closing(self) -> bool:
        """Tell whether the connection is being closed."""
        return self._transport.is_closing()

    def close(self) -> None:
        """Close once it can be."""
        self._close()
