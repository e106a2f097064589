"""Cgroups of the node's own, below those that its starter is in: what kubelet makes is in them, and goes with them."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_REMOVE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Cgroups:
    """A cgroup a hierarchy, of version 1.

    Attributes:
        folders: controllers as /proc/self/cgroup names them, such as `cpu` or `name=systemd` → the cgroup's folder.
    """

    folders: dict[str, Path]

    def join(self) -> list[str]:
        """Give the words before a command that have it run in these cgroups."""
        script = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'
        return ["/bin/sh", "-c", script, "join", *map(str, self.folders.values()), "--"]


@contextlib.contextmanager
def make_cgroups(name: str) -> Iterator[Cgroups]:
    """Make them under a name; at the end no process may be in them any more."""
    cgroups = Cgroups({controllers: parent / name for controllers, parent in _find_parents().items()})
    _remove(cgroups)  # what a killed run left
    for controllers, folder in cgroups.folders.items():
        folder.mkdir()
        if "cpuset" in controllers.split(","):  # empty in a new one, and then no process may join
            for file in ("cpuset.cpus", "cpuset.mems"):
                (folder / file).write_text((folder.parent / file).read_text(encoding="utf-8"), encoding="utf-8")
    try:
        yield cgroups
    finally:
        _remove(cgroups)


def can_make_cgroups() -> bool:
    """Whether the machine has its controllers in hierarchies of version 1, which is what the node is made for."""
    return "memory" in _find_parents()


def _find_parents() -> dict[str, Path]:
    """Find the cgroups that this process is in; version 2 has no controllers in its line."""
    lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    return {
        controllers: _ROOT / controllers.removeprefix("name=") / path.strip("/")
        for _, controllers, path in (line.split(":", 2) for line in lines)
        if controllers
    }


def _remove(cgroups: Cgroups) -> None:
    """Remove them from below; a process that was killed leaves its own a moment later."""
    deadline = time.monotonic() + _REMOVE_SECONDS
    while left := [folder for folder in cgroups.folders.values() if folder.exists()]:
        for folder in left:
            for below in sorted(folder.rglob("*/"), key=lambda path: len(path.parts), reverse=True):
                _remove_one(below)
            _remove_one(folder)
        assert time.monotonic() < deadline, f"processes are left in {left}"
        time.sleep(0.05)


def _remove_one(folder: Path) -> None:
    with contextlib.suppress(OSError):  # still in use: asked again
        folder.rmdir()
