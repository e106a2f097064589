"""A program in the background: ended by its pid, started again as it was; it dies with whoever started it."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.die_with_parent import die_with_parent

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
START_SECONDS = 120.0
END_SECONDS = 20.0
SHOWN_LOG_BYTES = 4000


@dataclass
class Program:
    """A program with its log.

    Attributes:
        command: its path and arguments.
        log: what it writes to standard output and error, all starts of it.
        is_ready: asked again and again while it starts; what it raises of OSError is a no.
        within: words before the command that have it run elsewhere, such as in other namespaces.
    """

    command: Sequence[str]
    log: Path
    is_ready: Callable[[], bool]
    within: Sequence[str] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        return Path(self.command[0]).name

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C is for pytest, which ends the program in its order.
            self.process = subprocess.Popen(
                [*die_with_parent(), *self.within, *self.command],
                env={"PATH": PATH, "HOME": str(self.log.parent)},  # no proxy, no kubeconfig of the user's
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, f"{self.name} ended: {self.process.returncode}\n{self.tail()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready after {START_SECONDS} s\n{self.tail()}"
            time.sleep(0.05)

    def end(self) -> None:
        """End it, even one that is frozen or does not listen."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_bytes()[-SHOWN_LOG_BYTES:].decode(errors="replace") if self.log.exists() else ""

    @contextlib.contextmanager
    def running(self) -> Iterator["Program"]:
        try:
            self.start()
            yield self
        finally:
            self.end()

    def _answers(self) -> bool:
        try:
            return self.is_ready()
        except OSError:
            return False
