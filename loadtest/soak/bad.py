"""The callers that ask as they should not: what is no review, too much of it, half of it, or far too slow."""

import contextlib
import itertools
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException, HTTPResponse
from socket import SHUT_RDWR, create_connection
from typing import Final

from loadtest.soak.callers import TIMEOUT_SECONDS, Callee, ask
from loadtest.soak.questions import AS_JSON, Question, Questions, complain_of_status
from loadtest.soak.tally import Tally

_PAUSE_SECONDS: Final = 0.25
_SLOW_PIECES: Final = 10
_SLOW_SECONDS: Final = 0.3
_TOO_MUCH: Final = 7 * 2**20 + 1
_PATH: Final = "/validate/enforce?timeout=10s"
_HEAD: Final = (
    "POST {path} HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
)
_STATUSES: Final[Sequence[tuple[str, bytes, dict[str, str], int]]] = (
    ("bad: half of JSON", b'{"apiVersion":"admission.k8s.io/v1","kind":', AS_JSON, 400),
    ("bad: no request", b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', AS_JSON, 400),
    ("bad: no text", b"\xff\xfe\x00", AS_JSON, 400),
    ("bad: deep", b"[" * 10_000, AS_JSON, 400),
    ("bad: wrong Content-Type", b"{}", {"Content-Type": "text/plain"}, 415),
    ("bad: packed", b"{}", AS_JSON | {"Content-Encoding": "gzip"}, 415),
)


def ask_badly(callee: Callee, questions: Questions, tally: Tally, stopped: threading.Event) -> None:
    """Ask one bad thing after the other, a few a second."""
    context = callee.make_context()
    acts: list[tuple[str, Callable[[], str]]] = [
        ("bad: too large by its head", lambda: _send_too_large(callee, context)),
        ("bad: half a head, then gone", lambda: _leave(callee, context, b"POST /validate/enforce HTTP/1.1\r\nHo")),
        ("bad: half a body, then gone", lambda: _leave(callee, context, _begin(questions))),
        ("bad: no TLS", lambda: _leave(callee, None, b"GET / HTTP/1.1\r\n\r\n")),
        ("bad: half a handshake", lambda: _leave(callee, None, b"\x16\x03\x01\x02")),
    ]
    for kind, body, headers, status in _STATUSES:
        question = Question(kind, _PATH, body, partial(complain_of_status, status), headers)
        acts.append((kind, partial(_ask_once, callee, context, question)))
    for kind, act in itertools.cycle(acts):
        if stopped.wait(_PAUSE_SECONDS):
            return
        tally.note(kind, _try(act))


def ask_slowly(callee: Callee, questions: Questions, tally: Tally, stopped: threading.Event) -> None:
    """Send reviews in pieces over seconds, which are answered; and some that stop half way, which are refused."""
    context = callee.make_context()
    for number in itertools.count():
        if stopped.wait(_PAUSE_SECONDS):
            return
        question = questions.make_of("5 KB")
        is_whole = number % 3 > 0
        kind = "slow: a review over three seconds" if is_whole else "slow: half a review, and no more"
        tally.note(kind, _try(lambda: _send_slowly(callee, context, question, is_whole=is_whole)))  # noqa: B023 -- called here


def _try(act: Callable[[], str]) -> str:
    try:
        return act()
    except (OSError, HTTPException) as error:
        return repr(error)


def _ask_once(callee: Callee, context: ssl.SSLContext, question: Question) -> str:
    with contextlib.closing(callee.connect(context)) as connection:
        return ask(connection, question)


def _send_too_large(callee: Callee, context: ssl.SSLContext) -> str:
    """Say that too much is to come, and send none of it: the answer comes at once."""
    with contextlib.closing(callee.connect(context)) as connection:
        connection.connect()
        connection.send(_HEAD.format(path=_PATH, length=_TOO_MUCH).encode())
        response = HTTPResponse(connection.sock, method="POST")
        response.begin()
        return complain_of_status(413, response.status, response.read())


def _begin(questions: Questions) -> bytes:
    body = questions.make_of("40 KB").body
    return _HEAD.format(path=_PATH, length=len(body)).encode() + body[: len(body) // 2]


def _leave(callee: Callee, context: ssl.SSLContext | None, begun: bytes) -> str:
    """Send something, and break the connection; nothing is expected."""
    with create_connection(("127.0.0.1", callee.port), timeout=TIMEOUT_SECONDS) as plain:
        stream = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
        stream.sendall(begun)
        time.sleep(0.01)
        with contextlib.suppress(OSError):
            stream.shutdown(SHUT_RDWR)
        stream.close()
    return ""


def _send_slowly(callee: Callee, context: ssl.SSLContext, question: Question, *, is_whole: bool) -> str:
    """Send a review in pieces, or its first half alone; give what is wrong with the answer."""
    body = question.body
    size = -(-len(body) // _SLOW_PIECES)
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    with contextlib.closing(callee.connect(context)) as connection:
        connection.connect()
        connection.send(_HEAD.format(path=question.path, length=len(body)).encode())
        for piece in pieces if is_whole else pieces[: _SLOW_PIECES // 2]:
            connection.send(piece)
            time.sleep(_SLOW_SECONDS)
        response = HTTPResponse(connection.sock, method="POST")
        response.begin()
        status, answer = response.status, response.read()
    return question.complain(status, answer) if is_whole else complain_of_status(408, status, answer)
