"""Where built programs are kept: outside of the repository, so that they outlive it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path


def find_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Find the cache: `PATCHGATE_CACHE`, else `patchgate` in the XDG cache (XDG Base Directory Specification)."""
    if chosen := environment.get("PATCHGATE_CACHE"):
        return Path(chosen).absolute()
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "patchgate"


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other runs out of the folder, which is made, until the block ends; the kernel unlocks if we are killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Waiting for another run that builds in {folder}", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
