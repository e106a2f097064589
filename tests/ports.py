"""Free ports on loopback for programs that cannot choose their own."""

import contextlib
import random
import socket

LOWEST = 10_000
ABOVE = 30_000
"""Below the ports that the kernel gives to whoever connects (ip_local_port_range, from 32768): until the program
listens, no connection of another test can take its port. Below a Service's node ports, too."""
TRIES = 100


def choose_ports(count: int) -> list[int]:
    """Choose ports that differ and are free now."""
    with contextlib.ExitStack() as stack:  # all held at once, so that they differ
        return [int(stack.enter_context(_open()).getsockname()[1]) for _ in range(count)]


def _open() -> socket.socket:
    for _ in range(TRIES):
        with contextlib.suppress(OSError):  # somebody has it
            return socket.create_server(("127.0.0.1", random.randrange(LOWEST, ABOVE)))  # noqa: S311 -- no secret
    raise AssertionError(f"no port from {LOWEST} to {ABOVE} is free")
