"""Serves the application over TLS with uvicorn, with the limits that kube-apiserver's way of calling needs."""

import socket
import ssl

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
    except OSError as error:
        listener.close()
        raise SetupError(f"--listen {host}:{port}: {error.strerror}; choose another port") from error
    return listener


def serve(app: ASGIApp, listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serve until SIGTERM or SIGINT. Blocks; uvicorn takes over the signals."""
    config = uvicorn.Config(
        app,
        access_log=False,
        date_header=False,
        http="httptools",
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    config.ssl = context
    uvicorn.Server(config).run(sockets=[listener])
