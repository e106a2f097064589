"""A network of a test's own: loopback, addresses that may go and come, and no way out.

It is a network namespace (network_namespaces(7)) without a name: a thread enters it, and what the thread starts then is
in it. It is gone with the last process in it and the file that holds it, so nothing is left to be cleaned up.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.groups import leave_out

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET, linux/sched.h
_MINE = "/proc/thread-self/ns/net"
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Network:
    """A network, held by an open file."""

    file: int

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Be in it until the block ends: this thread, and the threads and programs that it starts."""
        home = os.open(_MINE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _call("setns", self.file, _NEW_NETWORK)
            try:
                yield
            finally:
                _call("setns", home, _NEW_NETWORK)
        finally:
            os.close(home)

    def add(self, *addresses: str) -> None:
        """Give it addresses. Not 127…: kube-apiserver takes no such endpoint."""
        for address in addresses:
            self._run("address", "add", f"{address}/32", "dev", "lo")

    def remove(self, address: str) -> None:
        """Take an address away: what is sent to it is lost, and connections to it stay open and silent."""
        self._run("address", "delete", f"{address}/32", "dev", "lo")

    def _run(self, *words: str) -> None:
        with self.entered():
            subprocess.run([_find_ip(), *words], check=True)


@contextlib.contextmanager
def make_network(addresses: Sequence[str]) -> Iterator[Network]:
    """Make a network with these addresses, until the block ends."""
    if os.geteuid() != 0:
        leave_out("a network namespace needs root")
    home = os.open(_MINE, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("unshare", _NEW_NETWORK)
        network = Network(os.open(_MINE, os.O_RDONLY | os.O_CLOEXEC))
    finally:
        _call("setns", home, _NEW_NETWORK)
        os.close(home)
    try:
        network._run("link", "set", "lo", "up")  # noqa: SLF001 -- its own maker
        network.add(*addresses)
        yield network
    finally:
        os.close(network.file)


def _find_ip() -> str:
    return shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin") or leave_out("iproute2 is not installed")


def _call(name: str, *arguments: int) -> None:
    if _LIBC[name](*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
