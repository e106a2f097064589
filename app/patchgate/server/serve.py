"""Serves the application over TLS with uvicorn, with the limits that kube-apiserver's way of calling needs."""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from patchgate.errors import SetupError
from patchgate.limits import BACKLOG_CONNECTIONS, KEEP_ALIVE_SECONDS, SHUTDOWN_SECONDS


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Raises:
        SetupError: the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG_CONNECTIONS)
    except (OSError, UnicodeError) as error:  # the latter: a host name that no DNS name can be
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else "not a host name"
        raise SetupError(f"--listen {host}:{port}: {reason}; choose another address") from error
    return listener


class Server(uvicorn.Server):
    """uvicorn's server, which ends by itself when told to: the signal is not raised again, so the exit code is 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGTERM and SIGINT while serving."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def serve(app: ASGIApp, listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serve until SIGTERM or SIGINT. Blocks."""
    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,
        http="httptools",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        ws="none",
    )
    config.load()
    config.ssl = context
    Server(config).run(sockets=[listener])
