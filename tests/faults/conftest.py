"""Control planes in a network of their own, where addresses can be taken away, for the faults that need one.

A module with `in_network` among its marks runs inside that network: whatever it starts or asks is there.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Gate, run_gate, write_configmaps
from tests.faults.composed_gate import PROGRAM
from tests.groups import leave_out
from tests.plane.conftest import pytest_runtest_makereport  # noqa: F401 -- a hook of pytest's
from tests.plane.control_plane import Plane, run_plane
from tests.plane.network import Network, make_network
from tests.plane.webhooks import SYSTEM
from tests.plane.world import WORLD
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, KUBERNETES

REPLICAS = tuple(f"10.77.0.{number}" for number in range(11, 17))
FAR_SIDE = "10.77.0.2"
"""An address of the kube-apiserver that a test may end."""


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    with make_network(("10.77.0.1", FAR_SIDE, *REPLICAS)) as made:
        yield made


@pytest.fixture(scope="module")
def in_network(network: Network) -> Iterator[None]:
    with network.entered():
        yield


@pytest.fixture(scope="session")
def plane(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """The control plane that modules share: no test may end its programs or leave a webhook behind."""
    with _run_inside(network, tmp_path_factory.mktemp("plane")) as running:
        yield running


@pytest.fixture(scope="session")
def own_plane(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """A control plane whose programs a test may end, and starts again; it chooses among a Service's endpoints.

    Such a one takes no Service of type ExternalName (k8s.io/apiserver, pkg/util/proxy, ResolveEndpoint).
    """
    with _run_inside(network, tmp_path_factory.mktemp("own-plane"), "--enable-aggregator-routing=true") as running:
        yield running


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the world of `tests/plane/world.py`."""
    return write_configmaps(tmp_path_factory.mktemp("world"), *WORLD)


@contextmanager
def _run_inside(network: Network, folder: Path, *flags: str) -> Iterator[Plane]:
    programs, etcd = (find_programs(module, find_cache()) for module in (KUBERNETES, ETCD))
    if programs is None or etcd is None:
        leave_out("kube-apiserver and etcd are not built here; make tools does")
    with ExitStack() as stack:
        with network.entered():
            everywhere = "--bind-address=0.0.0.0"
            plane = stack.enter_context(run_plane(programs, etcd, folder, everywhere, *flags, address=FAR_SIDE))
            plane.make_namespace(SYSTEM)
        yield plane


@dataclass(frozen=True)
class Composed:
    """A gate of `composed_gate.py`, and the directory that tells it what is to happen."""

    gate: Gate
    control: Path

    def set_clock(self, ahead: timedelta) -> None:
        """Set the machine's clock ahead of the real one, or behind."""
        new = self.control / "clock.new"
        new.write_text(str(ahead.total_seconds()), encoding="utf-8")
        new.rename(self.control / "clock")  # whole at any moment


ComposedRunner = Callable[[], AbstractContextManager[Composed]]


@pytest.fixture
def run_composed(shop: Path, tmp_path: Path) -> ComposedRunner:
    """Runs such a gate on the shop, at the real time to begin with."""

    @contextmanager
    def run() -> Iterator[Composed]:
        (tmp_path / "clock").write_text("0", encoding="utf-8")
        own = ("--self-signed", str(tmp_path / "tls"), "--control", str(tmp_path))
        with run_gate(shop, tmp_path / "tls/ca.crt", *own, program=PROGRAM, is_sound=False) as gate:
            yield Composed(gate, tmp_path)

    return run


def read_resident_bytes(gate: Gate) -> int:
    """Memory of a gate that is resident (proc(5), status: VmRSS)."""
    status = Path(f"/proc/{gate.process.pid}/status").read_text(encoding="utf-8")
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
