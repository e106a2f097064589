"""Server processes: started on a core of their own, waited for, measured by /proc, and ended by their process id."""

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import OK, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

from tests.die_with_parent import die_with_parent

ROOT: Final = Path(__file__).parents[1]
_END_SECONDS: Final = 5
_SHOWN_LOG_CHARACTERS: Final = 2000


class ServerError(Exception):
    """A server does not do what is measured; the text says what its log says."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that is ready.

    Attributes:
        name: for people.
        pid: the process itself, whose children count with it.
        port: on 127.0.0.1, over TLS.
        expects: what reviews.lua expects of its answers.
        path: where reviews are sent, with its query.
    """

    name: str
    pid: int
    port: int
    expects: str
    path: str = "/validate/enforce?timeout=5s"

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far, user and system."""
        return sum(_read_cpu_seconds(pid) for pid in self._list_pids())

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return _read_state(self.pid) not in {"", "Z"}

    def read_memory(self, field: str) -> float:
        """Read VmRSS or VmHWM (its peak), in MiB."""
        return sum(_read_kibibytes(pid, field) for pid in self._list_pids()) / 1024

    def forget_peak(self) -> None:
        """Let VmHWM begin anew (proc(5), /proc/PID/clear_refs)."""
        for pid in self._list_pids():
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")

    def _list_pids(self) -> list[int]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [self.pid, *map(int, children.split())]


def choose_cores() -> tuple[int, int]:
    """Choose the servers' core and wrk's: the same one where there is no other."""
    cores = sorted(os.sched_getaffinity(0))
    return cores[0], cores[-1]


def choose_port() -> int:
    """Choose a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def run_server(  # noqa: PLR0913 -- the keywords are what differs between servers
    name: str,
    command: Sequence[str],
    *,
    port: int,
    expects: str,
    log: Path,
    environment: Mapping[str, str] | None = None,
    ready_seconds: float = 30,
) -> Iterator[Server]:
    """Run a server on its core until the end of the block.

    Raises:
        ServerError: it ended, or is not ready in time.
    """
    pinned = [*die_with_parent(), find_program("taskset"), "-c", str(choose_cores()[0]), *command]
    with log.open("wb") as output:
        process = subprocess.Popen(
            pinned, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        if not _is_ready(process, port, ready_seconds):
            text = log.read_text(encoding="utf-8", errors="replace")[-_SHOWN_LOG_CHARACTERS:]
            raise ServerError(f"{name} is not ready after {ready_seconds} s, or ended ({process.poll()}):\n{text}")
        yield Server(name, process.pid, port, expects)
    finally:
        _end(process)


def find_program(name: str) -> str:
    """Find a program.

    Raises:
        ServerError: it is not there.
    """
    found = shutil.which(name)
    if found is None:
        raise ServerError(f"{name} is needed, and is not in PATH")
    return found


def connect(port: int) -> HTTPSConnection:
    """Connect to a server here: whose certificate it has does not matter."""
    return HTTPSConnection("127.0.0.1", port, context=ssl._create_unverified_context(), timeout=5)  # noqa: S323, SLF001


def _is_ready(process: "subprocess.Popen[bytes]", port: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.closing(connect(port)) as connection, contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == OK:
                return True
        time.sleep(0.05)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: the second SIGTERM ends the gate's drain."""
    for send in (process.terminate, process.terminate, process.kill):
        send()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS if send == process.kill else 1)
            return


def _read_cpu_seconds(pid: int) -> float:
    """Read a process' own clock of CPU time, user and system: to the nanosecond, where /proc has hundredths.

    Its number is what clock_getcpuclockid(3) gives, which Python has not (Linux, CPUCLOCK_SCHED).
    """
    return time.clock_gettime((~pid << 3) | 2)


def _read_state(pid: int) -> str:
    """Read a process' state (proc(5), /proc/PID/stat); empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


def _read_kibibytes(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
