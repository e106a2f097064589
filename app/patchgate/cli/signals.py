"""Hears SIGTERM and SIGINT, whatever the main thread is doing.

A handler in Python runs in the main thread between two instructions, perhaps while that holds the very lock it needs.
So the number goes through a socket, as asyncio does it (signal.set_wakeup_fd), to a thread that acts on it.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_NUMBERS: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def hear_signals(tell: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Tell of each signal, in a thread of its own, while the block lasts. Of the main thread only."""
    receiver, sender = socket.socketpair()
    sender.settimeout(0)
    thread = threading.Thread(target=_forward, args=(receiver, tell), name="signals", daemon=True)
    before = {number: signal.signal(number, _pass_over) for number in _NUMBERS}
    descriptor_before = signal.set_wakeup_fd(sender.fileno())
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        sender.close()
        thread.join()
        receiver.close()


def _pass_over(number: int, frame: object) -> None:
    """Do nothing: that there is a handler keeps the process alive, and the socket has the number."""


def _forward(receiver: socket.socket, tell: Callable[[signal.Signals], None]) -> None:
    while numbers := receiver.recv(16):
        for number in numbers:
            if number in _NUMBERS:
                tell(signal.Signals(number))
