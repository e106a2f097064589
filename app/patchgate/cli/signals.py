"""SIGTERM and SIGINT while the patcher runs: the first has it finish what it records, the second ends it at once.

A handler in Python runs in the main thread between two instructions, perhaps while that holds the very lock it needs.
So the number goes through a socket, as asyncio does it (signal.set_wakeup_fd), to a thread that acts on it.
"""

import contextlib
import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from patchgate.patcher.stop import Stop

_NUMBERS: Final = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def end_on_signals(stop: Stop, directory: Path) -> Iterator[None]:
    """Ask the run for its end at the first signal; at the second end the process, and remove its files.

    Of the main thread only. directory: of this run alone. A record is written or it is not: the store sees to that.
    """
    heard: list[signal.Signals] = []

    def heed(number: signal.Signals) -> None:
        if heard:
            _end_at_once(directory)
        heard.append(number)
        stop.ask(f"told to end by {number.name}")

    with _hear_signals(heed):
        yield


def _end_at_once(directory: Path) -> None:
    for child in list_children():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)
    os._exit(1)


def list_children() -> list[int]:
    """List the processes that this one started; each leads a group (`patcher.program`)."""
    children: list[int] = []
    for task in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread that has ended
            children += map(int, task.read_text(encoding="ascii").split())
    return children


@contextmanager
def _hear_signals(heed: Callable[[signal.Signals], None]) -> Iterator[None]:
    receiver, sender = socket.socketpair()
    sender.settimeout(0)
    thread = threading.Thread(target=_forward, args=(receiver, heed), name="signals", daemon=True)
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


def _forward(receiver: socket.socket, heed: Callable[[signal.Signals], None]) -> None:
    while numbers := receiver.recv(16):
        for number in numbers:
            if number in _NUMBERS:
                heed(signal.Signals(number))
