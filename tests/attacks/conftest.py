"""A gate as the chart runs it, for attacks: one process within the chart's memory limit. One file per attack."""

import re
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.attacks.cgroup import MemoryCgroup, can_limit_memory, make_memory_cgroup
from tests.chart.conftest import helm  # noqa: F401 -- a fixture
from tests.conftest import Gate, run_gate
from tests.groups import leave_out
from tests.plane.conftest import plane, run_own_plane, world  # noqa: F401 -- fixtures

MEMORY_LIMIT_BYTES = 512 * 2**20
"""`gate.resources.limits.memory` of the chart; a test holds this to it."""
BASE = 1.25
"""Resident memory after an attack ÷ before it, at the most."""
OPEN_FILES = 20_000
"""Of the attacker, this process."""


@dataclass(frozen=True)
class LimitedGate:
    """A gate in a memory cgroup of its own."""

    gate: Gate
    cgroup: MemoryCgroup

    def read_resident_bytes(self) -> int:
        """Read its resident memory (proc(5), status: VmRSS)."""
        status = Path(f"/proc/{self.gate.process.pid}/status").read_text(encoding="utf-8")
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found, "the gate has ended"
        return int(found[1]) * 1024

    def count_files(self) -> int:
        """Count its open files, each connection among them."""
        return sum(1 for _ in Path(f"/proc/{self.gate.process.pid}/fd").iterdir())


LimitedGateRunner = Callable[..., AbstractContextManager[LimitedGate]]


@pytest.fixture(scope="session")
def many_files() -> Iterator[None]:
    """Let this process have as many sockets as an attack needs."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < OPEN_FILES:
        leave_out(f"the limit of open files is {before[1]}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="session")
def run_limited(
    many_files: None,  # noqa: ARG001 -- its limits
    shop: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> LimitedGateRunner:
    """Runs a gate on the shop in a memory cgroup: `run_limited(*arguments)`. It must not be killed for memory."""
    if not can_limit_memory():
        leave_out("a memory cgroup takes root, and a machine with the controller")

    @contextmanager
    def run(*arguments: str) -> Iterator[LimitedGate]:
        tls = tmp_path_factory.mktemp("tls")
        own = ("--self-signed", str(tls), *arguments)
        with make_memory_cgroup("patchgate-attacks", MEMORY_LIMIT_BYTES) as cgroup:
            with run_gate(shop, tls / "ca.crt", *own, prefix=cgroup.join()) as gate:
                yield LimitedGate(gate, cgroup)
                assert gate.process.poll() is None, "the gate has ended"
            assert cgroup.count_killed() == 0

    return run
