"""Pods that many callers make at once through kube-apiserver, each with an answer that is known beforehand."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import pod
from tests.plane.world import API, API_PATCHED

JOIN_SECONDS = 60.0
EXPECTED = ((API, (403, "PatchAvailable")), (API_PATCHED, (201, "")))
"""What is made in turn, and the status and reason that must come back."""


@dataclass
class PodTraffic:
    """What came back.

    Attributes:
        answers: status and reason → how many.
        lost: what came instead of the answer that should have.
    """

    answers: Counter[tuple[int, str]] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def wait_for(self, more: int) -> None:
        """Wait for so many more answers."""
        least = self.answers.total() + more
        wait_until(lambda: self.answers.total() >= least, f"{least} answers")

    def note(self, expected: tuple[int, str], found: tuple[int, str], text: str) -> None:
        with self._changing:
            self.answers[found] += 1
            if found != expected:
                self.lost.append(text)


@contextmanager
def make_pods(plane: Plane, namespace: str, a_second: float, callers: int = 10) -> Iterator[PodTraffic]:
    """Have callers make Pods, so many a second in all, until the block ends."""
    traffic = PodTraffic()
    pause_seconds = callers / a_second

    def call() -> None:
        next_at = time.monotonic()
        with _connect(plane) as connection:
            for number in _count_until(traffic.stopped):
                _make_one(connection, namespace, number, traffic)
                next_at += pause_seconds  # what was late is made good: the pace does not follow the answers
                time.sleep(max(0.0, next_at - time.monotonic()))

    threads = [threading.Thread(target=call) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stopped.set()
        for thread in threads:
            thread.join(JOIN_SECONDS)


def burst(plane: Plane, namespace: str, pods: int, callers: int = 100) -> PodTraffic:
    """Have callers make so many Pods in all as fast as they can."""
    traffic = PodTraffic()

    def call(first: int) -> None:
        with _connect(plane) as connection:
            for number in range(first, pods, callers):
                _make_one(connection, namespace, number, traffic)

    threads = [threading.Thread(target=call, args=(first,)) for first in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(JOIN_SECONDS)
    return traffic


@contextmanager
def _connect(plane: Plane) -> Iterator[HTTPSConnection]:
    address = urlsplit(plane.server).netloc
    connection = HTTPSConnection(address, context=plane.credentials.trust_as("admin"), timeout=JOIN_SECONDS)
    try:
        yield connection
    finally:
        connection.close()


def _count_until(stopped: threading.Event) -> Iterator[int]:
    number = 0
    while not stopped.is_set():
        yield number
        number += 1


def _make_one(connection: HTTPSConnection, namespace: str, number: int, traffic: PodTraffic) -> None:
    image, expected = EXPECTED[number % len(EXPECTED)]
    path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"  # etcd need not hold them
    try:
        connection.request("POST", path, json.dumps(pod(image)), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, HTTPException, ValueError) as error:
        connection.close()
        traffic.note(expected, (0, type(error).__name__), repr(error))
        return
    found = (response.status, answer.get("reason", "") if response.status >= 400 else "")
    traffic.note(expected, found, f"{response.status} {answer.get('message', '')}")
