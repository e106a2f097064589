"""Pods made at a steady pace while something is done to the gate: one in five unpatched, each answer as is due.

They are real ones that no scheduler places (a scheduling gate, KEP-3521): so many a second would be too many to run.
"""

import contextlib
import json
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

from tests.node import addresses
from tests.node.node import Node
from tests.node.shop import API, API_PATCHED, shop_pod

CREATES_A_SECOND: Final = 50
EVERY: Final = 5
"""One in so many is unpatched."""
_CREATORS: Final = 8
_SECONDS: Final = 30.0
_SHOWN_CHARACTERS: Final = 300
_NEVER: Final[dict[str, Any]] = {"schedulingGates": [{"name": "tests/never"}]}


class _Connection(HTTPConnection):
    """A connection to kube-apiserver, from inside the node's network."""

    def __init__(self, node: Node, trust: ssl.SSLContext) -> None:
        super().__init__(addresses.NODE, addresses.API_PORT, timeout=_SECONDS)
        self._node, self._trust = node, trust

    def connect(self) -> None:
        plain = self._node.machine.connect(self.host, self.port, _SECONDS)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


@dataclass
class Creations:
    """What the creators were told.

    Attributes:
        admitted: patched ones that were admitted.
        refused: unpatched ones that were refused, with the image to use.
        wrong: what else was said, as it came.
    """

    admitted: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, connection: _Connection, namespace: str) -> None:
        """Create until it is stopped, at a steady pace."""
        due, number = time.monotonic(), 0
        while not self._stopped.wait(max(0.0, due - time.monotonic())):
            due += _CREATORS / CREATES_A_SECOND
            number += 1
            is_patched = number % EVERY != 0
            pod = shop_pod(API_PATCHED if is_patched else API, **_NEVER)
            try:
                status, text = _post(connection, f"/api/v1/namespaces/{namespace}/pods", pod)
            except (OSError, HTTPException) as error:
                status, text = 0, repr(error)
                connection.close()
            self._note(status, text, is_patched=is_patched)
        connection.close()

    def stop(self) -> None:
        """Have the creators end."""
        self._stopped.set()

    def _note(self, status: int, text: str, *, is_patched: bool) -> None:
        with self._lock:
            if is_patched and status == 201:
                self.admitted += 1
            elif not is_patched and status == 403 and f"{API_PATCHED}@" in text:
                self.refused += 1
            else:
                self.wrong.append(f"{'patched' if is_patched else 'unpatched'}: {status} {text[:_SHOWN_CHARACTERS]}")


@contextlib.contextmanager
def keep_creating(node: Node, namespace: str) -> Iterator[Creations]:
    """Create Pods in a namespace until the block ends; where all went well, it has been left with the patched ones."""
    creations, trust = Creations(), node.credentials.trust_as("admin")
    threads = [
        threading.Thread(target=creations.create, args=(_Connection(node, trust), namespace)) for _ in range(_CREATORS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield creations
    finally:
        creations.stop()
        for thread in threads:
            thread.join(_SECONDS)


def _post(connection: HTTPConnection, path: str, obj: dict[str, Any]) -> tuple[int, str]:
    connection.request("POST", path, json.dumps(obj), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")
