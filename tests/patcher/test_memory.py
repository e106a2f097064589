"""The memory limit of the patcher's own cgroup, and what each scan may have of it."""

from pathlib import Path

import pytest

from patchgate.patcher.memory import LEAST_BYTES, OURS_BYTES, choose_go_limit, read_memory_limit

MIB = 1024 * 1024


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="ascii")
    return root


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 * MIB),
        (
            {
                "proc/self/cgroup": "0::/pod/container\n",
                "sys/fs/cgroup/pod/container/memory.max": "max\n",
                "sys/fs/cgroup/pod/memory.max": "268435456\n",
            },
            256 * MIB,
        ),
        ({"proc/self/cgroup": "0::/of/the/host\n", "sys/fs/cgroup/memory.max": "1048576\n"}, MIB),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x\n",
                "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "1048576\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            MIB,
        ),
        (
            {"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
            None,
        ),
    ],
)
def test_the_limit_is_the_least_from_the_cgroup_to_the_root(
    tmp_path: Path, files: dict[str, str], limit: int | None
) -> None:
    assert read_memory_limit(write(tmp_path, files)) == limit


def test_scans_share_what_the_patcher_leaves() -> None:
    assert choose_go_limit(None, 4) == ""
    assert choose_go_limit(OURS_BYTES + 1000 * MIB, 2) == str(450 * MIB)
    assert choose_go_limit(64 * MIB, 4) == str(LEAST_BYTES)
