"""Locks between threads and processes of one machine (flock): held by an open file, gone with whoever held it."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from patchgate.errors import HeldError, StoreError
from patchgate.limits import LOCK_POLL_SECONDS


@contextmanager
def lock_directory(directory: Path, limit_seconds: float) -> Iterator[None]:
    """Hold the directory itself; nothing is made in it.

    Raises:
        HeldError: somebody else held it for the whole limit.
        StoreError: it is not there.
    """
    with _opening(directory):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait(descriptor, directory, limit_seconds)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def lock_name(directory: Path, name: str, limit_seconds: float) -> Iterator[None]:
    """Hold a name by a file in the directory, which is made where it is missing. The file goes with the lock.

    Raises:
        HeldError: somebody else held the name for the whole limit.
        StoreError: the file cannot be made.
    """
    file = directory / f"{hashlib.sha256(name.encode()).hexdigest()}.lock"
    descriptor = -1
    while descriptor < 0:
        with _opening(file):
            directory.mkdir(exist_ok=True)
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _wait(descriptor, Path(name), limit_seconds)
        except StoreError:
            os.close(descriptor)
            raise
        if not _is_same(descriptor, file):  # whoever held it before took the file away
            os.close(descriptor)
            descriptor = -1
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"{path} cannot be locked: {error.strerror}") from error


def _wait(descriptor: int, what: Path, limit_seconds: float) -> None:
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in {errno.EWOULDBLOCK, errno.EINTR}:
                raise StoreError(f"{what} cannot be locked: {error.strerror}") from error
        else:
            return
        if time.monotonic() >= deadline:
            raise HeldError(f"another patcher has held {what} for {limit_seconds:g} s: end it, or run one at a time")
        time.sleep(LOCK_POLL_SECONDS)


def _is_same(descriptor: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False
