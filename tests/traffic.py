"""Callers under load: threads that ask on connections which they keep, as kube-apiserver does, and miss no answer."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection

from tests.conftest import START_SECONDS, Gate, change

CALLERS = 6


@dataclass
class Caller:
    """One that asks again and again, connecting anew where it is told to, or after so many requests.

    Attributes:
        connect: makes a connection that is not open yet.
        requests_a_connection: after which it takes a new one; 0 keeps it as long as it is let.
        sent: requests of which a byte may have gone out.
        answered: those of them that got their own answer, whole.
        told_to_close: answers that said `Connection: close`.
        fault: what ended it before its time.
    """

    connect: Callable[[], HTTPSConnection]
    requests_a_connection: int
    sent: int = 0
    answered: int = 0
    told_to_close: int = 0
    fault: str = ""

    def ask_until(self, stopped: threading.Event) -> None:
        connection = self.connect()
        try:
            while not stopped.is_set():
                if connection.sock is None:
                    connection.connect()
                self._ask(connection)
                if self.requests_a_connection and self.sent % self.requests_a_connection == 0:
                    connection.close()
        except (OSError, HTTPException, ValueError) as error:
            self.fault = repr(error)
        finally:
            connection.close()

    def _ask(self, connection: HTTPSConnection) -> None:
        uid = f"{id(self)}-{self.sent}"
        body = json.dumps(change("pod-create", uid=uid))
        self.sent += 1
        connection.request("POST", "/validate/enforce?timeout=30s", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        self.told_to_close += response.getheader("connection") == "close"
        self.answered += (response.status, answer["response"]["uid"], answer["response"]["allowed"]) == (
            200,
            uid,
            False,
        )


@dataclass
class Traffic:
    """Callers that ask until they are stopped."""

    callers: list[Caller]
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def lost(self) -> int:
        """Requests without a whole answer, once the traffic is over."""
        return sum(caller.sent - caller.answered for caller in self.callers)

    @property
    def faults(self) -> list[str]:
        return [caller.fault for caller in self.callers if caller.fault]

    def each_has(self, count: Callable[[Caller], int], least: int) -> bool:
        """Whether every caller has counted so many, or has ended with a fault."""
        return all(caller.fault or count(caller) >= least for caller in self.callers)


@contextmanager
def keep_asking(gate: Gate, requests_a_connection: int = 0) -> Iterator[Traffic]:
    """Have callers ask the gate until the block ends."""
    traffic = Traffic([Caller(gate.connect, requests_a_connection) for _ in range(CALLERS)])
    threads = [threading.Thread(target=caller.ask_until, args=(traffic.stopped,)) for caller in traffic.callers]
    for thread in threads:
        thread.start()
    try:
        yield traffic
    finally:
        traffic.stopped.set()
        for thread in threads:
            thread.join(START_SECONDS)
