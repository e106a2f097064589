"""Downloads Trivy's database: from each repository in order, again after a pause where a registry may answer later.

Trivy tries again by itself for three seconds, and another repository only for some failures. A registry that limits
requests says how long to wait (`Retry-After`); Trivy does not show it, so the registry is asked for it.
"""

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from patchgate.limits import DATABASE_UPDATE_SECONDS
from patchgate.patcher.program import Ending, Finished

DATABASE_TRIES: Final = 4
"""Tries of all repositories: with the pauses between them a minute's limit of requests has passed."""
FIRST_PAUSE_SECONDS: Final = 5.0
"""The pause after the first try where no registry says how long to wait; doubled each time."""
MOST_PAUSE_SECONDS: Final = 120.0
"""The longest pause: a registry that asks for more is not waited for."""
_MAY_PASS: Final = re.compile(
    r"TOOMANYREQUESTS|too many requests|\b429\b|\b50[0234]\b|timeout|timed out|connection re(?:set|fused)|"
    r"\bEOF\b|BLOB_UNKNOWN|no such host|TLS handshake",
    re.IGNORECASE,
)
_RETRY_AFTER: Final = re.compile(r"retry[- ]after:? *([0-9.]+) *(ms|µs|us|ns|s|m)?\b", re.IGNORECASE)
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class DatabaseUpdate:
    """How the database is downloaded.

    Attributes:
        download: runs Trivy for one repository (empty: its own), within so many seconds.
        ask_pause: asks a repository's registry how long to wait, in seconds; None where it does not say.
        stop: ends every wait.
        clock: seconds that pass, from whatever beginning.
        first_pause_seconds: FIRST_PAUSE_SECONDS, less in tests.
    """

    download: Callable[[str, float], Finished]
    ask_pause: Callable[[str], float | None]
    stop: threading.Event
    clock: Callable[[], float] = time.monotonic
    first_pause_seconds: float = FIRST_PAUSE_SECONDS

    def run(self, repositories: Sequence[str]) -> Finished:
        """Download from the first repository that gives it; the last failure where none does."""
        until = self.clock() + DATABASE_UPDATE_SECONDS
        for number in range(1, DATABASE_TRIES):
            finished, pauses = self._try(repositories, until)
            pause = max(min(pauses, default=MOST_PAUSE_SECONDS + 1), self.first_pause_seconds * 2.0 ** (number - 1))
            is_too_long = pause > MOST_PAUSE_SECONDS or self.clock() + pause > until
            if _is_over(finished) or is_too_long or self.stop.wait(pause):
                return finished
        return self._try(repositories, until)[0]

    def _try(self, repositories: Sequence[str], until: float) -> tuple[Finished, list[float]]:
        """Try each repository once; gives the last end, and the pauses of those that may answer later."""
        pauses: list[float] = []
        left = list(repositories) or [""]
        while True:
            repository = left.pop(0)
            finished = self.download(repository, max(1.0, until - self.clock()))
            if not _is_over(finished) and _MAY_PASS.search(finished.errors):
                pauses.append(read_pause(finished.errors) or self.ask_pause(repository) or 0.0)
            if _is_over(finished) or not left:
                return finished, pauses


def _is_over(finished: Finished) -> bool:
    return finished.succeeded or finished.ending is not Ending.EXITED


def read_pause(errors: str) -> float | None:
    """Read how long a registry asks to wait from what Trivy wrote (`retry-after: 1.2s`, GHCR), in seconds."""
    found = _RETRY_AFTER.search(errors)
    with contextlib.suppress(ValueError, KeyError):
        return float(found[1]) * _UNITS[(found[2] or "").lower()] if found else None
    return None


@contextmanager
def keep_metadata(cache: Path) -> Iterator[None]:
    """Put the database's metadata back where a download failed before the database itself was touched.

    Trivy takes a database without them for none. cache: Trivy's.
    """
    metadata, database = cache / "db/metadata.json", cache / "db/trivy.db"
    before, state = _read(metadata), _look_at(database)
    yield
    if before is not None and not metadata.exists() and state is not None and _look_at(database) == state:
        with contextlib.suppress(OSError):
            metadata.write_bytes(before)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None


def _look_at(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
