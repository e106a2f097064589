"""Attackers: connections that repeat one costly review each for a time.

Run as a program of its own: `python -m tests.attacks.repeat_reviews HOST PORT CONNECTIONS KIND SECONDS`. It prints a
line when it begins, and at its end how many answers of each kind it got.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter

from tests.attacks.hold_bodies import OPENING, name_answer
from tests.conftest import make_blind_context

POD = b'","operation":"CREATE","object":{"apiVersion":"v1","kind":"Pod","spec":{"containers":[%b]}}}}'
SPELLINGS = b",".join(b'{"image":"registry.example.com:%d/myapp/api:1.4.2"}' % number for number in range(999))
KINDS = {
    "spellings": OPENING + POD % SPELLINGS,
    "faults": OPENING + POD % b",".join([b"1"] * 32_000),
    "small containers": OPENING + POD % b",".join([b"{}"] * 2_400_000),
    "many images": OPENING + POD % b",".join(b'{"image":"a.example/%d"}' % number for number in range(200_000)),
}


class Attackers:
    """Threads that repeat a review."""

    def __init__(self, address: tuple[str, int], connections: int, body: bytes, seconds: float) -> None:
        self._address = address
        self._context = make_blind_context()
        self._end = time.monotonic() + seconds
        self._request = (
            b"POST /validate/enforce?timeout=30s HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        self.answers: Counter[str] = Counter()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(connections)]

    def _run(self) -> None:
        while (left := self._end - time.monotonic()) > 0:
            try:
                self._repeat(left)
            except OSError as error:
                self.answers[type(error).__name__] += 1

    def _repeat(self, left: float) -> None:
        raw = socket.create_connection(self._address, timeout=left, source_address=("127.0.0.2", 0))
        with self._context.wrap_socket(raw) as connection:
            while time.monotonic() < self._end:
                connection.sendall(self._request)
                answer = read_answer(connection)
                self.answers[name_answer(answer)] += 1
                if not answer:
                    return


def read_answer(connection: socket.socket) -> bytes:
    """Read one whole answer; empty if there is none."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
        head, end, body = answer.partition(b"\r\n\r\n")
        if end and len(body) == int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            break
    return answer


def main() -> None:
    """Attack."""
    host, port, connections, kind, seconds = sys.argv[1:]
    attackers = Attackers((host, int(port)), int(connections), KINDS[kind], float(seconds))
    for thread in attackers.threads:
        thread.start()
    print("begun", flush=True)  # noqa: T201 -- what the test waits for
    for thread in attackers.threads:
        thread.join(float(seconds) + 60)
    print(json.dumps(attackers.answers), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
