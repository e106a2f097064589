"""Free ports on loopback for programs that cannot choose their own."""

import contextlib
import socket


def choose_ports(count: int) -> list[int]:
    """Choose ports that differ and are free now."""
    with contextlib.ExitStack() as stack:  # all held at once, so that they differ
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]
