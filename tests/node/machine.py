"""A machine within the machine: Linux namespaces with a PID 1, which takes everything in them with it when it ends."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.die_with_parent import die_with_parent
from tests.node import addresses
from tests.node.cgroups import Cgroups, make_cgroups

_INIT: Final = Path(__file__).with_name("init.sh")
_ENVIRONMENT: Final = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "NODE_ADDRESS": addresses.NODE_WITH_PREFIX,
    "SERVICE_RANGE": addresses.SERVICE_RANGE,
}
_START_SECONDS: Final = 120.0
_CLONE_NEWNET: Final = 0x40000000  # of sched.h; os.setns is there from Python 3.12 on


@dataclass(frozen=True)
class Machine:
    """Namespaces of all kinds but users'.

    Attributes:
        init_pid: its PID 1, as the machine around it counts.
        cgroups: that its programs run in.
    """

    init_pid: int
    cgroups: Cgroups

    @property
    def root(self) -> Path:
        """Its files, as seen from outside."""
        return Path(f"/proc/{self.init_pid}/root")

    def enter(self) -> list[str]:
        """Give the words before a command that have it run inside; it dies with whoever started it."""
        inside = ["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net"]
        return [*self.cgroups.join(), *self._nsenter(), *inside, "--", *die_with_parent()]

    def enter_network(self) -> list[str]:
        """Give the words before a command that have it run outside but for its network."""
        return [*self._nsenter(), "--net", "--"]

    def connect(self, host: str, port: int, timeout: float = 5.0) -> socket.socket:
        """Connect from inside its network; the socket may be used from anywhere."""
        return self._make_socket(lambda: socket.create_connection((host, port), timeout))

    def listen(self, host: str, port: int) -> socket.socket:
        """Listen inside its network; the socket may be used from anywhere, and what it accepts."""
        return self._make_socket(lambda: socket.create_server((host, port)))

    def _make_socket(self, make: Callable[[], socket.socket]) -> socket.socket:
        def enter_and_make() -> socket.socket:
            self._enter_network()
            return make()

        with ThreadPoolExecutor(1) as thread:  # a thread of its own is in another network, and ends
            return thread.submit(enter_and_make).result()

    def _enter_network(self) -> None:
        with Path(f"/proc/{self.init_pid}/ns/net").open("rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))

    def _nsenter(self) -> list[str]:
        return ["/usr/bin/nsenter", f"--target={self.init_pid}"]


@contextlib.contextmanager
def run_machine(folder: Path, name: str) -> Iterator[Machine]:
    """Run one until the block ends. folder: for its state, `/run/node` inside. name: of its cgroups."""
    with make_cgroups(name) as cgroups:
        namespaces = ["--mount", "--pid", "--cgroup", "--ipc", "--uts", "--net", "--fork", "--kill-child=KILL"]
        unshare = ["/usr/bin/unshare", *namespaces, "--", "/bin/sh", str(_INIT), str(folder), *cgroups.folders]
        with (folder / "init.log").open("wb") as log:
            process = subprocess.Popen(
                [*die_with_parent(), *cgroups.join(), *unshare],
                env=_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield Machine(_wait_for_init(process, folder), cgroups)
        finally:
            process.send_signal(signal.SIGKILL)  # and the kernel kills PID 1, and it every process inside
            process.wait()


def _wait_for_init(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    ready, deadline = folder / "init.pid", time.monotonic() + _START_SECONDS
    while not ready.exists():
        said = (folder / "init.log").read_text(errors="replace")
        assert process.poll() is None, f"init ended: {process.returncode}\n{said}"
        assert time.monotonic() < deadline, f"init is not ready after {_START_SECONDS} s\n{said}"
        time.sleep(0.02)
    return int(ready.read_text(encoding="utf-8"))
