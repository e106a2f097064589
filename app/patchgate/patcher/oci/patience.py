"""Connections that wait within limits: an answer has its whole time, head and body, and a stop ends it at once.

The time limits of a socket are for each read: a registry that sends one byte every few seconds is within them for
hours, and `http.client` reads a head whole before anybody else sees it. So the reads themselves know the limits.
"""

import http.client
import io
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from patchgate.errors import RegistryError
from patchgate.patcher.oci.destination import is_forbidden

LOOK_SECONDS: Final = 0.5
"""How often a read looks whether the run is stopped."""
STOP_SECONDS: Final = 5.0
"""How long an answer is still waited for once the run is stopped: a tag that was just given must be known as given."""


_NEAR: Final = "localhost"
"""Whom a host is taken to be led by that the operator's data name: it may be on this machine, and not a cloud's."""


class StoppedError(RegistryError):
    """The run was stopped while an answer was awaited."""


class ForbiddenPeerError(RegistryError):
    """A name led to an address that nothing may lead to."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long answers are waited for.

    Attributes:
        read_seconds: for the next bytes.
        exchange_seconds: for a whole answer.
        stop: shortens every wait to stop_seconds.
        led: of a thread, `by`: the host that led it where it connects; empty where the operator's data name the host.
    """

    read_seconds: float
    exchange_seconds: float
    stop: threading.Event
    stop_seconds: float = STOP_SECONDS
    led: threading.local = field(default_factory=threading.local)


def teach(manager: urllib3.PoolManager, patience: Patience) -> None:
    """Make the connections of a manager wait within limits, and never connect where nothing may lead."""
    read = partial(_Response, patience=patience)
    is_proxy = isinstance(manager, urllib3.ProxyManager)

    class Plain(HTTPConnection):
        response_class = read  # type: ignore[assignment]

        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if is_proxy else check_peer(super()._new_conn(), self.host, patience)

    class Secure(HTTPSConnection):
        response_class = read  # type: ignore[assignment]

        def _new_conn(self) -> socket.socket:
            return super()._new_conn() if is_proxy else check_peer(super()._new_conn(), self.host, patience)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def check_peer(connected: socket.socket, host: str, patience: Patience) -> socket.socket:
    """Give the connection back where its peer is no address that nothing may lead to.

    Raises:
        ForbiddenPeerError: it is one; the connection is closed.
    """
    peer, sender = str(connected.getpeername()[0]), getattr(patience.led, "by", "")
    is_named = host == peer and not sender  # the operator's data name this very address
    if not is_named and is_forbidden(peer, sender or _NEAR):
        connected.close()
        raise ForbiddenPeerError(f"{host} leads to {peer}, an address of this machine or its cloud, which is not asked")
    return connected


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, patience: Patience, **kwargs: Any) -> None:  # noqa: ANN401
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reads(sock, self.fp.detach(), patience))


class _Reads(io.RawIOBase):
    """What a socket receives, within limits."""

    def __init__(self, sock: socket.socket, inner: io.RawIOBase, patience: Patience) -> None:
        self._socket = sock
        self._inner = inner
        self._patience = patience
        self._deadline = time.monotonic() + patience.exchange_seconds
        self._is_stopped = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 -- WriteableBuffer, which typeshed alone has
        until = time.monotonic() + self._patience.read_seconds
        try:
            while True:
                left = min(until, self._find_deadline()) - time.monotonic()
                if left <= 0:
                    raise _say_end(is_stopped=self._is_stopped)
                self._socket.settimeout(min(left, LOOK_SECONDS))
                try:
                    return self._socket.recv_into(buffer)
                except TimeoutError:
                    continue
        finally:
            self._socket.settimeout(self._patience.read_seconds)

    def _find_deadline(self) -> float:
        if self._patience.stop.is_set() and not self._is_stopped:
            self._is_stopped = True
            self._deadline = min(self._deadline, time.monotonic() + self._patience.stop_seconds)
        return self._deadline

    def close(self) -> None:
        self._inner.close()
        super().close()


def _say_end(*, is_stopped: bool) -> Exception:
    return StoppedError("stopped before the registry answered") if is_stopped else TimeoutError()
