"""How much memory a scan may have: the patcher's own limit, shared by the scans that go on side by side.

Go's runtime collects garbage harder as it comes near GOMEMLIMIT (https://pkg.go.dev/runtime, "Environment Variables"),
so that a large image is scanned more slowly where the kernel would have killed the container.
"""

from pathlib import Path
from typing import Final

OURS_BYTES: Final = 192 * 1024 * 1024
"""What is left to the patcher itself: it keeps 148 MiB with 1,000 images (`make load-patch-memory`)."""
SHARE: Final = 0.9
"""The part of the rest that Go may plan with: what is mapped of the database counts beside it."""
LEAST_BYTES: Final = 128 * 1024 * 1024
"""Below it Trivy would do nothing but collect garbage."""
_NO_LIMIT: Final = 2**60
"""cgroup v1 has no word for no limit, but a number near 2**63."""


def read_memory_limit(root: Path = Path("/")) -> int | None:
    """Read the memory limit of this process's cgroup and of those above it, in bytes; None where there is none.

    cgroup v2: `memory.max`; v1: `memory.limit_in_bytes` (https://docs.kernel.org/admin-guide/cgroup-v2.html). In a
    container the paths of /proc/self/cgroup may be the host's: then the cgroup's root is the container's own.
    """
    limits = []
    for line in _read(root / "proc/self/cgroup").split("\n"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            limits += _read_up(root / "sys/fs/cgroup", path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _read_up(root / "sys/fs/cgroup/memory", path, "memory.limit_in_bytes")
    return min((limit for limit in limits if limit < _NO_LIMIT), default=None)


def choose_go_limit(limit_bytes: int | None, jobs: int) -> str:
    """Choose GOMEMLIMIT for each of so many scans side by side; empty where there is no limit."""
    if limit_bytes is None:
        return ""
    return str(max(LEAST_BYTES, int((limit_bytes - OURS_BYTES) * SHARE) // jobs))


def _read_up(mount: Path, path: str, name: str) -> list[int]:
    """Read a limit from the cgroup's folder up to the root of all."""
    folder = mount / path.strip("/")
    folders = [folder, *folder.parents]
    texts = [_read(each / name).strip() for each in folders[: folders.index(mount) + 1]]
    return [int(text) for text in texts if text.isdecimal()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
