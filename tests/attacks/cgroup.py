"""A memory cgroup for one program, as the kubelet makes it for a container with a memory limit (version 1 or 2)."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_JOIN: Final = 'echo $$ > "$0" && exec "$@"'
_REMOVE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class MemoryCgroup:
    """A cgroup with a memory limit.

    Attributes:
        folder: of the cgroup.
    """

    folder: Path

    def join(self) -> list[str]:
        """Give the words before a command that run it inside."""
        return ["/bin/sh", "-c", _JOIN, str(self.folder / "cgroup.procs")]

    def count_killed(self) -> int:
        """Count the processes that the kernel killed for memory."""
        file = next(path for name in ("memory.events", "memory.oom_control") if (path := self.folder / name).exists())
        counts = dict(line.split() for line in file.read_text(encoding="utf-8").splitlines())
        return int(counts["oom_kill"])

    def read_peak_bytes(self) -> int:
        """Read the most memory that was in use at a time, page cache included."""
        names = ("memory.peak", "memory.max_usage_in_bytes")
        file = next(path for name in names if (path := self.folder / name).exists())
        return int(file.read_text(encoding="utf-8"))


@contextlib.contextmanager
def make_memory_cgroup(name: str, limit_bytes: int) -> Iterator[MemoryCgroup]:
    """Make one until the block ends; no process may be left in it then."""
    parent = find_parent()
    assert parent, "can_limit_memory says no"
    cgroup = MemoryCgroup(parent / name)
    _remove(cgroup.folder)  # what a killed run left
    cgroup.folder.mkdir()
    for file in ("memory.max", "memory.limit_in_bytes"):
        if (cgroup.folder / file).exists():
            (cgroup.folder / file).write_text(str(limit_bytes), encoding="utf-8")
    try:
        yield cgroup
    finally:
        _remove(cgroup.folder)


def can_limit_memory() -> bool:
    """Whether cgroups with a memory limit can be made here: by root, where the controller is."""
    parent = find_parent()
    if parent is None:
        return False
    try:
        with make_memory_cgroup("patchgate-attacks-probe", 2**30) as cgroup:
            return any((cgroup.folder / file).exists() for file in ("memory.max", "memory.limit_in_bytes"))
    except OSError:
        return False


def find_parent() -> Path | None:
    """Find the cgroup of this process in the hierarchy that has the memory controller."""
    for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _ROOT / "memory" / path.strip("/")
    controllers_file = _ROOT / "cgroup.controllers"  # version 2: the root delegates to its children
    if controllers_file.exists() and "memory" in controllers_file.read_text(encoding="utf-8").split():
        with contextlib.suppress(OSError):
            (_ROOT / "cgroup.subtree_control").write_text("+memory", encoding="utf-8")
        return _ROOT
    return None


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _REMOVE_SECONDS
    while folder.exists():
        with contextlib.suppress(OSError):  # a process that was killed leaves a moment later
            folder.rmdir()
        assert time.monotonic() < deadline, f"processes are left in {folder}"
        time.sleep(0.05)
