"""One control plane for the session, and the gates behind it that most tests share."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.chart.conftest import helm  # noqa: F401 -- a fixture
from tests.conftest import write_configmaps
from tests.groups import leave_out
from tests.plane.control_plane import Plane, run_plane
from tests.plane.webhooks import SYSTEM, Guarded, Webhook, guard
from tests.plane.world import WORLD
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import ETCD, KUBERNETES

PlaneRunner = Callable[..., AbstractContextManager[Plane]]


@pytest.fixture(scope="session")
def run_own_plane(tmp_path_factory: pytest.TempPathFactory) -> PlaneRunner:
    """Runs a control plane for a test that ends, freezes or fills one: `with run_own_plane(*flags) as plane`."""
    programs, etcd = (find_programs(module, find_cache()) for module in (KUBERNETES, ETCD))
    if programs is None or etcd is None:
        leave_out("kube-apiserver and etcd are not built here; make tools does")
    return lambda *flags: run_plane(programs, etcd, tmp_path_factory.mktemp("plane"), *flags)


@pytest.fixture(scope="session")
def plane(run_own_plane: PlaneRunner) -> Iterator[Plane]:
    """The control plane that all modules share: no test may end its programs or leave a webhook behind."""
    with run_own_plane() as running:
        running.make_namespace(SYSTEM)
        yield running


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the world of `tests/plane/world.py`."""
    return write_configmaps(tmp_path_factory.mktemp("world"), *WORLD)


@pytest.fixture(scope="session")
def guarded(plane: Plane, world: Path) -> Iterator[Guarded]:
    """A gate with that world."""
    with guard(plane, "gate", world) as running:
        yield running


@pytest.fixture(scope="session")
def webhook(guarded: Guarded) -> Webhook:
    return guarded.webhook


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the programs said last when a test fails."""
    report = yield
    used = item.funcargs if isinstance(item, pytest.Function) else {}
    if report.failed and isinstance(plane := used.get("plane"), Plane):
        programs = (plane.etcd, plane.api_server, plane.controller_manager)
        report.sections += [(f"the end of {program.log}", program.tail()) for program in programs]
    if report.failed and isinstance(guarded := used.get("guarded"), Guarded):
        report.sections.append(("the end of what the gate said", "".join(guarded.gate.said[-20:])))
    return report
