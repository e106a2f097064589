"""Runs external programs: argument lists, a process group each, a time limit, both pipes drained, the group ended.

Touches processes and nothing else; what a program's output means is its adapter's part. A program that has ended
takes with it whatever it started and left behind in its group.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from patchgate.errors import SetupError
from patchgate.limits import (
    PROGRAM_END_SECONDS,
    PROGRAM_LOOK_SECONDS,
    PROGRAM_OUTPUT_BYTES,
    PROGRAM_REST_SECONDS,
)

_CHUNK_BYTES: Final = 64 * 1024  # what a pipe holds


class Ending(StrEnum):
    """How a program came to its end."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Finished:
    """A program that has ended.

    Attributes:
        ending: whether by itself, or ended by us: its time was over, or the patcher was told to stop.
        exit_code: its own, or minus the signal that ended it.
        output: the end of its standard output.
        errors: the end of its standard error.
    """

    ending: Ending
    exit_code: int
    output: str
    errors: str

    @property
    def succeeded(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.ending is Ending.EXITED and self.exit_code == 0


def run_program(  # noqa: PLR0913 -- all that a process is given, by name
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    directory: Path,
    limit_seconds: float,
    stop: threading.Event,
    text: str = "",
) -> Finished:
    """Run a program to its end, to its limit, or until `stop` is set.

    directory: its working directory: programs read settings from there.
    text: its standard input, less than a pipe holds.

    Raises:
        SetupError: it cannot be started.
    """
    deadline = time.monotonic() + limit_seconds
    with _start(command, environment, directory, text) as process, _Pipes(process) as pipes:
        try:
            ending = _await_end(process, pipes, deadline, stop)
            if ending is not Ending.EXITED:
                _terminate(process, pipes)
            pipes.drain_rest()
        finally:
            _signal_group(process, signal.SIGKILL)  # before it is reaped: until then its group's number is its own
        return Finished(ending, process.wait(), pipes.read_output(), pipes.read_errors())


def _start(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, text: str
) -> "subprocess.Popen[bytes]":
    try:
        process = subprocess.Popen(  # noqa: S603 -- an argument list, of our own making
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise SetupError(f"cannot start {command[0]}: {error.strerror}; is it installed, and on the PATH?") from error
    assert process.stdin  # noqa: S101 -- for mypy
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(text.encode())
    return process


def _await_end(process: "subprocess.Popen[bytes]", pipes: "_Pipes", deadline: float, stop: threading.Event) -> Ending:
    while not _has_ended(process):
        if stop.is_set():
            return Ending.STOPPED
        if time.monotonic() >= deadline:
            return Ending.TIMED_OUT
        pipes.drain(PROGRAM_LOOK_SECONDS)
    return Ending.EXITED


def _terminate(process: "subprocess.Popen[bytes]", pipes: "_Pipes") -> None:
    """Ask the group to end, and wait for the program for a while."""
    _signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + PROGRAM_END_SECONDS
    while not _has_ended(process) and time.monotonic() < deadline:
        pipes.drain(PROGRAM_LOOK_SECONDS)


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    """Tell whether it has ended, without reaping it: its number stays its own until the group is ended."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal_group(process: "subprocess.Popen[bytes]", which: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, which)


class _Pipes:
    """Both pipes of a program, read without ever waiting for one of them alone; their ends are kept."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout  # noqa: S101 -- for mypy
        assert process.stderr  # noqa: S101
        self._output, self._errors = process.stdout.fileno(), process.stderr.fileno()
        self._tails = {self._output: bytearray(), self._errors: bytearray()}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        for pipe in self._tails:
            os.set_blocking(pipe, False)
            self._selector.register(pipe, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()

    def drain(self, seconds: float) -> bool:
        """Read what is there, after waiting for it at most so long; tell whether there was anything."""
        if not self._selector.get_map():
            time.sleep(seconds)  # both are closed, and it runs on
            return False
        ready = self._selector.select(seconds)
        for key, _ in ready:
            self._read(key.fd)
        return bool(ready)

    def drain_rest(self) -> None:
        """Read what an ended program has written, and not for ever what others write on."""
        deadline = time.monotonic() + PROGRAM_REST_SECONDS
        while self._selector.get_map() and self.drain(0) and time.monotonic() < deadline:
            pass

    def read_output(self) -> str:
        return self._tails[self._output][-PROGRAM_OUTPUT_BYTES:].decode(errors="replace")

    def read_errors(self) -> str:
        return self._tails[self._errors][-PROGRAM_OUTPUT_BYTES:].decode(errors="replace")

    def _read(self, pipe: int) -> None:
        chunk = os.read(pipe, _CHUNK_BYTES)
        if not chunk:
            self._selector.unregister(pipe)
        tail = self._tails[pipe]
        tail += chunk
        if len(tail) > 2 * PROGRAM_OUTPUT_BYTES:
            del tail[:-PROGRAM_OUTPUT_BYTES]
