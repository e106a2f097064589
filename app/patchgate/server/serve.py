"""Serves applications with uvicorn until their life ends, within the limits that kube-apiserver's calls need."""

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Never

import uvicorn
from starlette.types import ASGIApp

from patchgate.errors import SetupError
from patchgate.limits import (
    ABORT_AGAIN_SECONDS,
    BACKLOG_CONNECTIONS,
    KEEP_ALIVE_SECONDS,
    SHUTDOWN_SECONDS,
)
from patchgate.server.budget import Budget
from patchgate.server.life import Life
from patchgate.server.listener import Listener
from patchgate.server.protocol import GateProtocol

RECEIVE_BYTES: Final = 64 * 1024
"""What the kernel receives of a connection before it is read, and so about the most that is read at once. One with more
to send would keep others waiting, and all buffers would grow by it: the kernel's are in the container's memory too."""
_ANYWHERE: Final = "::"
_ANYWHERE_WITHOUT_IPV6: Final = "0.0.0.0"  # noqa: S104 -- what was asked for


class Server(uvicorn.Server):
    """A server on one listening socket; its life is told by `Life`, not by signals of its own."""

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        protocol: Callable[..., GateProtocol] = GateProtocol,
        budget: Budget | None = None,
    ) -> None:
        """Prepare to serve. budget: that the connections share; one of its own unless told otherwise."""
        config = uvicorn.Config(
            app,
            access_log=False,
            backlog=BACKLOG_CONNECTIONS,
            date_header=False,
            http=GateProtocol,
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ws="none",
        )
        super().__init__(config)
        self._listener = listener
        self._context = context
        self._protocol = protocol
        self._budget = budget or Budget()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve. uvicorn's own way has no limit on connections before TLS, nor on how TLS begins and ends."""
        del sockets
        await self.lifespan.startup()

        def make_protocol() -> GateProtocol:
            return self._protocol(self.config, self.server_state, self.lifespan.state)

        listener = Listener(self._listener, self._context, make_protocol, self._budget)
        self.servers = [listener]  # type: ignore[list-item] # close and wait_closed are what uvicorn calls
        self.started = True

    def count_in_flight(self) -> int:
        """Count the requests that have come and are not answered."""
        connections = self.server_state.connections
        return sum(isinstance(connection, GateProtocol) and connection.is_under_way for connection in connections)

    def abort_connections(self) -> None:
        """Close every connection at once, whatever is under way on it."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal: `Life` does."""
        yield


def listen(flag: str, host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one. `::` is every address there is, those of IPv4 too.

    flag: the option that named the address, for the error.

    Raises:
        SetupError: the address cannot be had.
    """
    try:
        return _open_listener(host, port)
    except (OSError, UnicodeError) as error:  # the latter: a host name that no DNS name can be
        if host == _ANYWHERE and isinstance(error, OSError) and error.errno == errno.EAFNOSUPPORT:
            return listen(flag, _ANYWHERE_WITHOUT_IPV6, port)  # the kernel has no IPv6
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise SetupError(f"{flag} {host}:{port}: {reason}; choose another address") from error


def _open_listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == _ANYWHERE:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # whatever net.ipv6.bindv6only says
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)  # its connections inherit it
        listener.bind((host, port))
        listener.listen(BACKLOG_CONNECTIONS)
    except (OSError, UnicodeError):
        listener.close()
        raise
    return listener


async def serve(servers: Sequence[Server], life: Life) -> None:
    """Serve until the life ends: drained, the listeners close, and open requests are answered unless it is hurried."""
    running = [asyncio.create_task(server.serve()) for server in servers]
    hurrying = asyncio.create_task(_abort_when_hurried(servers, life))
    await life.wait_for_end()
    for server in servers:
        server.should_exit = True
    await asyncio.gather(*running)
    hurrying.cancel()


async def _abort_when_hurried(servers: Sequence[Server], life: Life) -> Never:
    """Close connections, those too that come before the listeners close, so that no request is waited for."""
    await life.wait_for_hurry()
    while True:
        for server in servers:
            server.abort_connections()
        await asyncio.sleep(ABORT_AGAIN_SECONDS)
