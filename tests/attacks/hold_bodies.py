"""Attackers: each connection holds all but the last byte of the largest review, again and again, for a time.

Run as a program of its own: `python -m tests.attacks.hold_bodies HOST PORT CONNECTIONS ADDRESSES SECONDS`. It prints a
line when the first body is held, and at its end how many bodies it sent, and each kind of answer that it got.
"""

import json
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from contextlib import suppress

from tests.conftest import make_blind_context

LARGEST_BYTES = 37 * 1024 * 1024
PIECE = b"\\u003c" * 10_000
OPENING = b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"attack-1","a":"'
HEAD = (
    b"POST /validate/enforce?timeout=10s HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % LARGEST_BYTES
)


class Attackers:
    """Threads that hold bodies."""

    def __init__(self, address: tuple[str, int], connections: int, addresses: int, seconds: float) -> None:
        self._address = address
        self._context = make_blind_context()
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self.answers: Counter[str] = Counter()
        self.threads = [
            threading.Thread(target=self._run, args=(f"127.0.0.{2 + number % addresses}",), daemon=True)
            for number in range(connections)
        ]

    def _run(self, source: str) -> None:
        while (left := self._end - time.monotonic()) > 0:
            try:
                self._hold(source, left)
            except OSError as error:
                self.answers[type(error).__name__] += 1
                time.sleep(0.05)

    def _hold(self, source: str, left: float) -> None:
        """Send all but one byte; wait for whatever the gate says."""
        raw = socket.create_connection(self._address, timeout=left, source_address=(source, 0))
        with self._context.wrap_socket(raw) as connection:
            connection.sendall(HEAD + OPENING)
            missing = LARGEST_BYTES - len(OPENING) - 1
            with suppress(ConnectionError, ssl.SSLError):
                while missing > 0:
                    connection.sendall(PIECE[:missing])
                    missing -= len(PIECE)
            self.answers["sent" if missing <= 0 else "cut off"] += 1
            connection.settimeout(left)
            self.answers[name_answer(b"".join(iter(lambda: _receive(connection), b"")))] += 1


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def name_answer(answer: bytes) -> str:
    """Name an answer by what kube-apiserver would make of it."""
    status = answer[9:12].decode() or "closed"
    body = answer.partition(b"\r\n\r\n")[2]
    if status == "200" and body:
        response = json.loads(body)["response"]
        return f"allowed={response['allowed']} uid={response['uid']}"
    return status


def main() -> None:
    """Attack."""
    host, port, connections, addresses, seconds = sys.argv[1:]
    attackers = Attackers((host, int(port)), int(connections), int(addresses), float(seconds))
    for thread in attackers.threads:
        thread.start()
    print("begun", flush=True)  # noqa: T201 -- what the test waits for
    for thread in attackers.threads:
        thread.join(float(seconds) + 60)
    print(json.dumps(attackers.answers), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
