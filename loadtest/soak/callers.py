"""The callers that ask as they should: on connections that they keep for a while, at random times."""

import contextlib
import itertools
import random
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

from loadtest.soak.questions import Question, Questions, complain_of_status
from loadtest.soak.tally import Tally

TIMEOUT_SECONDS: Final = 30
_REQUESTS_A_CONNECTION: Final = 500
_OK: Final = 200
_OPS: Final = (
    ("/metrics", 5),
    ("/", 15),
    ("/?search=team-7&page=3", 25),
    ("/v1/images?limit=100", 20),
)
"""What is asked of the ops listener, and every how many seconds."""


@dataclass(frozen=True, slots=True)
class Callee:
    """The gate as its callers know it.

    Attributes:
        port, ops_port: on 127.0.0.1.
        trust: a file with the CA that every one of its certificates is from.
    """

    port: int
    ops_port: int
    trust: Path

    def make_context(self) -> ssl.SSLContext:
        """Make a context that trusts the gate's CA alone."""
        return ssl.create_default_context(cafile=str(self.trust))

    def connect(self, context: ssl.SSLContext) -> HTTPSConnection:
        """Make a connection, which opens with its first request."""
        return HTTPSConnection("127.0.0.1", self.port, context=context, timeout=TIMEOUT_SECONDS)


def ask_all(callee: Callee, questions: Questions, rate: float, tally: Tally, stopped: threading.Event) -> None:
    """Ask question after question, so many a second on average, until it is stopped."""
    chance, context = random.Random(), callee.make_context()  # noqa: S311 -- when, no secret
    while not stopped.is_set():
        with contextlib.closing(callee.connect(context)) as connection:
            for _ in range(_REQUESTS_A_CONNECTION):
                if stopped.wait(chance.expovariate(rate)):
                    return
                question = questions.make()
                complaint = ask(connection, question)
                tally.note(question.kind, complaint)
                if complaint:
                    break


def ask(connection: HTTPConnection, question: Question) -> str:
    """Ask; give what is wrong with the answer, or with the connection."""
    try:
        connection.request("POST", question.path, question.body, dict(question.headers))
        response = connection.getresponse()
        return question.complain(response.status, response.read())
    except (OSError, HTTPException) as error:
        return repr(error)


def ask_ops(callee: Callee, tally: Tally, stopped: threading.Event) -> None:
    """Read metrics and pages every few seconds, and look whether the gate is ready every second."""
    context = callee.make_context()
    for second in itertools.count():
        if stopped.wait(1):
            return
        ready = callee.connect(context)
        tally.note("/readyz", _get(ready, "/readyz"))
        for path, every_seconds in _OPS:
            if second % every_seconds == 0:
                tally.note(f"ops {path}", _get(HTTPConnection("127.0.0.1", callee.ops_port, timeout=60), path))


def _get(connection: HTTPConnection, path: str) -> str:
    try:
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return complain_of_status(_OK, response.status, response.read())
    except (OSError, HTTPException) as error:
        return repr(error)


@contextlib.contextmanager
def run_threads(acts: list[Callable[[], None]], stop: threading.Event) -> Iterator[None]:
    """Run each in a thread until the end of the block."""
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
