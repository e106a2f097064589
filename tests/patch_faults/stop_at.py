"""Runs patchgate up to a point that Python itself tells of (audit events, PEP 578), and stands still there.

`python stop_at.py STEPS MARK ARGUMENT…`: STEPS are patterns in JSON, each looked for once the one before was found.
At the last one the file MARK is made, and the thread waits to be killed. Nothing of patchgate is changed or replaced.
An event is a line: its thread, its name, and what it was called with, as in `main os.rename .records.part records`.
"""

import json
import os
import re
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from patchgate.cli import run

HEARD = {"fcntl.flock", "http.client.send", "os.chmod", "os.remove", "os.rename", "subprocess.Popen"}


class Stop:
    """Hears every audit event of this process; safe for threads."""

    def __init__(self, steps: Sequence[str], mark: Path) -> None:
        self._left = [re.compile(step) for step in steps]
        self._mark = mark
        self._lock = threading.RLock()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in HEARD and self._is_last(f"{name_thread()} {event} {say(arguments)}"):
            self._mark.touch()
            while True:
                time.sleep(1)

    def _is_last(self, line: str) -> bool:
        with self._lock:
            if not self._left or not self._left[0].search(line):
                return False
            del self._left[0]
            return not self._left


def name_thread() -> str:
    return "main" if threading.current_thread() is threading.main_thread() else "image"


def say(arguments: tuple[object, ...]) -> str:
    """Put what an event was called with in words: an open file by its path, a request by its first line."""
    words: list[str] = []
    for number, each in enumerate(arguments):
        match each:
            case bytes():
                words.append(each.partition(b"\r\n")[0].decode(errors="replace"))
            case int() if number == 0:
                words.append(str(Path(f"/proc/self/fd/{each}").readlink()))
            case str() | os.PathLike():
                words.append(os.fspath(each))
            case list() | tuple():
                words += map(str, each)
            case _:
                pass
    return " ".join(words)


if __name__ == "__main__":
    stop = Stop(json.loads(sys.argv[1]), Path(sys.argv[2]))
    sys.argv[:] = ["patchgate", *sys.argv[3:]]
    sys.addaudithook(stop)
    run()
