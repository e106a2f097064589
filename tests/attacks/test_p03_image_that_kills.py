"""P3: an image whose scan takes all memory of the patcher's container: all others are verified in the next run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import Names
from patchgate.patcher.directory_store import DirectoryStore
from patchgate.policy.record import Record
from tests.attacks.cgroup import MemoryCgroup, can_limit_memory, make_memory_cgroup
from tests.cli.patch_ground import Ground, open_ground
from tests.groups import leave_out
from tests.patcher.programs import read_environment

LIMIT_BYTES = 256 * 2**20
WAIT_SECONDS = 120
KILLER = "0-killer"
OTHERS = ("1", "2", "3")
SCAN = f"""
case "$*" in *:{KILLER}@*)
    echo 1000 > /proc/$PPID/oom_score_adj  # as memory.oom.group of a container: the patcher goes along
    tail /dev/zero; exit 1;;
esac
while [ "$1" != --output ]; do shift; done; cat "$0.report" > "$2"
"""


@pytest.fixture
def cgroup() -> Iterator[MemoryCgroup]:
    if not can_limit_memory():
        leave_out("a memory cgroup takes root, and a machine with the controller")
    with make_memory_cgroup("patchgate-p03", LIMIT_BYTES) as made:
        yield made


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with open_ground(tmp_path) as ground:
        ground.have_trivy(SCAN)
        yield ground


def run(ground: Ground, cgroup: MemoryCgroup) -> int:
    """Run the patcher in the cgroup; gives how it ended."""
    process = ground.start("--jobs", "1", within=cgroup.join())
    try:
        process.communicate(timeout=WAIT_SECONDS)
    finally:
        process.kill()
    return process.returncode


def read_records(ground: Ground) -> dict[str, Record]:
    snapshot, _ = DirectoryStore(ground.configmaps, Names(), lambda: datetime.now(UTC)).read()
    (repository,) = snapshot.tracked
    return {record.tag: record for record in repository.records.values()}


def test_all_others_are_verified_by_the_run_after_the_one_that_was_killed(ground: Ground, cgroup: MemoryCgroup) -> None:
    ground.have_listed(KILLER, *OTHERS)
    assert run(ground, cgroup) == -9
    first = read_records(ground)
    assert (list(first), first[KILLER].unended) == ([KILLER], 1)
    assert "cut short" in first[KILLER].explanation
    for attempts in (2, 3):
        assert run(ground, cgroup) == -9
        records = read_records(ground)
        assert {tag: records[tag].state for tag in OTHERS} == dict.fromkeys(OTHERS, "clean")
        assert records[KILLER].unended == attempts
    assert cgroup.count_killed() >= 3
    limit = int(read_environment(ground.trivy)["GOMEMLIMIT"])
    assert 0 < limit < LIMIT_BYTES, "Go collects garbage before the kernel kills"


def test_once_it_has_memory_it_is_as_all_others(ground: Ground, cgroup: MemoryCgroup) -> None:
    ground.have_listed(KILLER, *OTHERS)
    assert run(ground, cgroup) == -9
    ground.have_trivy('while [ "$1" != --output ]; do shift; done; cat "$0.report" > "$2"')
    assert run(ground, cgroup) == 0
    assert read_records(ground)[KILLER].unended == 0
