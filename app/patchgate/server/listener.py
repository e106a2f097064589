"""Accepts connections into the budget, each by its peer's address before TLS begins.

asyncio's own server makes a protocol known after the TLS handshake: until then no one could close the connection.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

from patchgate.limits import CLOSE_SECONDS, HANDSHAKE_SECONDS
from patchgate.server.budget import Budget
from patchgate.server.protocol import GateProtocol

ACCEPTED_AT_ONCE: Final = 32
"""Connections accepted in one turn of the event loop: each costs 0.1 ms, and reviews wait meanwhile."""
PAUSE_SECONDS: Final = 0.1
"""How long no connection is accepted when the process has no file descriptor left for it."""


class Listener:
    """A listening socket whose connections are served; what uvicorn calls a server."""

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext | None,
        make_protocol: Callable[[], GateProtocol],
        budget: Budget,
    ) -> None:
        self._socket = listening
        self._context = context
        self._make_protocol = make_protocol
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[None]] = set()
        listening.setblocking(False)  # noqa: FBT003 -- the standard library's own name
        self._start()

    def close(self) -> None:
        """Accept no more."""
        self._loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._beginning:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait until no handshake is left."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _start(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, address = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError:  # no file descriptor, or no memory of the kernel's: those that wait go on waiting
                self._loop.remove_reader(self._socket)
                self._loop.call_later(PAUSE_SECONDS, self._start)
                return
            connection.setblocking(False)  # noqa: FBT003
            protocol = self._make_protocol()
            task = self._loop.create_task(self._begin(connection, protocol))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
            protocol.enter(self._budget, address[0], task.cancel)

    async def _begin(self, connection: socket.socket, protocol: GateProtocol) -> None:
        """Shake hands; from then on the protocol serves the connection."""
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._context else None,
                ssl_shutdown_timeout=CLOSE_SECONDS if self._context else None,
            )
        except OSError:  # no TLS, none in time, or gone (ssl.SSLError and TimeoutError are OSErrors too)
            protocol.leave()
        except asyncio.CancelledError:  # it gave way, or the gate ends
            protocol.leave()
            connection.close()
