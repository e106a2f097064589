"""A caller that hears of a caBundle late, as a kube-apiserver may: it must trust every replica at any time."""

import base64
import contextlib
import json
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPSConnection
from urllib.parse import urlsplit

from tests.plane.control_plane import Plane

LATE_SECONDS = 1.0
TOO_LATE_SECONDS = 2.0
"""As old no kube-apiserver's caBundle is (--settle-seconds): on a busy machine this caller's may be."""
PAUSE_SECONDS = 0.1
SECONDS = 30.0


@dataclass
class LateCaller:
    """Shakes hands with each port, by the caBundle of now and by that of LATE_SECONDS ago.

    Attributes:
        handshakes: those that went well.
        failed: what went wrong with others, unless their caBundle had become too old meanwhile.
    """

    plane: Plane
    name: str
    host: str
    ports: Sequence[int]
    handshakes: int = 0
    failed: list[str] = field(default_factory=list)
    _read: deque[tuple[float, str]] = field(default_factory=deque)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def call(self) -> None:
        """Call until it is stopped."""
        url = urlsplit(self.plane.server)
        connection = HTTPSConnection(url.netloc, context=self.plane.credentials.trust_as("admin"), timeout=SECONDS)
        while not self._stopped.wait(PAUSE_SECONDS):
            now, bundle = time.monotonic(), self._read_bundle(connection)
            self._read.append((now, bundle))
            while len(self._read) > 1 and self._read[1][0] <= now - LATE_SECONDS:
                self._read.popleft()
            for port in self.ports:
                for read_at, trusted in {self._read[0][1]: self._read[0], bundle: (now, bundle)}.values():
                    self._shake_hands(port, trusted, read_at)
        connection.close()

    def stop(self) -> None:
        self._stopped.set()

    def _read_bundle(self, connection: HTTPSConnection) -> str:
        connection.request("GET", f"/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/{self.name}")
        webhook = json.loads(connection.getresponse().read())["webhooks"][0]
        return base64.b64decode(webhook["clientConfig"]["caBundle"]).decode()

    def _shake_hands(self, port: int, trusted: str, read_at: float) -> None:
        trust = ssl.create_default_context(cadata=trusted)
        try:
            with (
                socket.create_connection(("127.0.0.1", port), SECONDS) as connection,
                trust.wrap_socket(connection, server_hostname=self.host),
            ):
                self.handshakes += 1
        except OSError as error:
            if time.monotonic() - read_at < TOO_LATE_SECONDS:
                self.failed.append(repr(error))


@contextlib.contextmanager
def keep_calling(plane: Plane, name: str, host: str, ports: Sequence[int]) -> Iterator[LateCaller]:
    """Call these ports of loopback, by the webhook configuration of this name, until the block ends."""
    caller = LateCaller(plane, name, host, ports)
    thread = threading.Thread(target=caller.call)
    thread.start()
    try:
        yield caller
    finally:
        caller.stop()
        thread.join(SECONDS)
    assert not thread.is_alive()
