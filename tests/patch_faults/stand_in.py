"""Stands before Trivy or Copa and misbehaves in one call: the fault itself, for which there is no other way.

`python stand_in.py WHAT PATTERN MARK REAL ARGUMENT…`: a call whose arguments match PATTERN does WHAT; every other one
is the real program. MARK is made where somebody waits for it.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Never

FLOOD_LINES = 2_000_000  # of 100 bytes
LINE = b"level=warn msg=" + b"x" * 84 + b"\n"


def stand_still() -> Never:
    while True:
        time.sleep(1)


def hang(_: list[str], mark: Path) -> int:
    """Say nothing and heed nothing, and have a child that does the same."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    mark.touch()
    stand_still()


def wait(_: list[str], mark: Path) -> int:
    mark.touch()
    stand_still()


def pause(command: list[str], mark: Path) -> int:
    """Begin when whoever waited for the mark has taken it away."""
    mark.touch()
    while mark.exists():
        time.sleep(0.02)
    os.execv(command[0], command)  # noqa: S606 -- the real one, with its own arguments


def freeze(command: list[str], mark: Path) -> int:
    """Run the real one, and freeze it at the first line that BuildKit's work gives."""
    with subprocess.Popen(command, stderr=subprocess.PIPE) as real:
        assert real.stderr
        for line in real.stderr:
            if line.startswith(b"#"):
                real.send_signal(signal.SIGSTOP)
                mark.touch()
                stand_still()
        return real.wait()


def flood(_: list[str], mark: Path) -> int:
    mark.touch()
    for _number in range(FLOOD_LINES // 1000):
        os.write(2, LINE * 1000)
    return 1


def write_empty_report(command: list[str], mark: Path) -> int:
    mark.touch()
    Path(command[command.index("--output") + 1]).write_text("{}", encoding="utf-8")
    return 0


def do_nothing(_: list[str], mark: Path) -> int:
    mark.touch()
    return 0


def die(_: list[str], mark: Path) -> int:
    mark.touch()
    os.kill(os.getpid(), signal.SIGKILL)
    stand_still()


FAULTS: dict[str, Callable[[list[str], Path], int]] = {
    each.__name__: each for each in (hang, wait, pause, freeze, flood, write_empty_report, do_nothing, die)
}


if __name__ == "__main__":
    what, pattern, mark, *command = sys.argv[1:]
    if not re.search(pattern, " ".join(command[1:])):
        os.execv(command[0], command)  # noqa: S606 -- the real one, with its own arguments
    sys.exit(FAULTS[what](command, Path(mark)))
