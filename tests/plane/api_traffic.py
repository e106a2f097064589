"""Steady callers through kube-apiserver: Pods created as a dry run, so many a second, each to be admitted."""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tests.plane.control_plane import Plane
from tests.plane.manifests import pod

CALLERS = 8
SECONDS = 30.0
SHOWN_CHARACTERS = 400


@dataclass
class ApiTraffic:
    """What callers were told.

    Attributes:
        admitted: reviews that were answered.
        failed: what else was said, as it came.
    """

    admitted: int = 0
    failed: list[str] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, address: tuple[str, int], trust: ssl.SSLContext, path: str, image: str, pause_seconds: float) -> None:
        """Ask until it is stopped, at a steady pace."""
        connection = HTTPSConnection(*address, context=trust, timeout=SECONDS)
        due = time.monotonic()
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += pause_seconds
            body = json.dumps(pod(image))
            try:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                self._note(response.status, response.read())
            except (OSError, HTTPException) as error:
                self._note(0, repr(error).encode())
                connection.close()
        connection.close()

    def stop(self) -> None:
        self._stopped.set()

    def _note(self, status: int, body: bytes) -> None:
        with self._lock:
            if status == 201:
                self.admitted += 1
            else:
                self.failed.append(f"{status} {body[:SHOWN_CHARACTERS].decode(errors='replace')}")


@contextlib.contextmanager
def keep_creating(plane: Plane, namespace: str, image: str, reviews_a_second: int = 200) -> Iterator[ApiTraffic]:
    """Create Pods with this image in a namespace until the block ends."""
    url = urlsplit(plane.server)
    assert url.hostname
    assert url.port
    path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
    traffic, trust = ApiTraffic(), plane.credentials.trust_as("admin")
    arguments = ((url.hostname, url.port), trust, path, image, CALLERS / reviews_a_second)
    threads = [threading.Thread(target=traffic.ask, args=arguments) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stop()
        for thread in threads:
            thread.join(SECONDS)
