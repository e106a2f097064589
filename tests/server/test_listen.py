"""Where the gate listens, on machines with IPv6 and without."""

import errno
import os
import socket

import pytest

from patchgate.errors import SetupError
from patchgate.server.serve import listen


def lose_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have sockets be as on a kernel that was started with ipv6.disable=1."""
    make = socket.socket

    def refuse(family: int, *arguments: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        return make(family, *arguments)

    monkeypatch.setattr(socket, "socket", refuse)


def can_reach(listener: socket.socket, host: str = "127.0.0.1") -> bool:
    with socket.create_connection((host, listener.getsockname()[1]), timeout=60):
        return True


def test_everywhere_is_ipv4_too() -> None:
    with listen("--listen", "::", 0) as listener:
        assert can_reach(listener)


def test_without_ipv6_everywhere_is_ipv4_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        lose_ipv6(patched)
        listener = listen("--listen", "::", 0)
    with listener:
        assert listener.family == socket.AF_INET
        assert can_reach(listener)


def test_an_ipv6_address_of_its_own_is_refused_there_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    lose_ipv6(monkeypatch)
    with pytest.raises(SetupError, match=r"^--listen ::1:8443: Address family not supported .*choose another address$"):
        listen("--listen", "::1", 8443)
