"""One control plane with Gatekeeper for the session, and the gate that its constraints ask."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.conftest import Gate, run_gate, write_configmaps
from tests.gatekeeper.controller import Gatekeeper, run_gatekeeper
from tests.gatekeeper.policies import put_in_force, read_example
from tests.groups import leave_out
from tests.plane.conftest import plane, run_own_plane  # noqa: F401 -- fixtures
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Kubectl
from tests.plane.world import EXCEPTED, FRONTEND, LINES, RECORDS
from tests.world import exceptions, hours_ago, image_list
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import GATEKEEPER
from tools.sources import find_sources

SHOP = "shop"
WORLD = (
    image_list(*LINES),
    RECORDS,
    exceptions(
        f"- {{image: '{EXCEPTED}', reason: replaced soon, owner: a@example.com, expires: '{hours_ago(-48)}'}}\n"
        f"- {{image: '{FRONTEND}', namespaces: [{SHOP}], reason: soon, owner: a@b.c, expires: '{hours_ago(-48)}'}}\n"
    ),
)


@pytest.fixture(scope="session")
def gatekeeper(plane: Plane) -> Iterator[Gatekeeper]:  # noqa: F811 -- the fixture
    """Gatekeeper with the example's template."""
    programs = find_programs(GATEKEEPER, find_cache())
    if programs is None:
        leave_out("Gatekeeper is not built here; make tools does")
    with run_gatekeeper(plane, programs, find_sources(GATEKEEPER, find_cache())) as running:
        running.apply_template(*read_example("template"))
        yield running


@pytest.fixture(scope="session")
def pair(plane: Plane) -> list[str]:  # noqa: F811
    """The arguments of a gate that have it serve a certificate which the Providers trust."""
    certificate, key = plane.credentials.issue_server("gate", "127.0.0.1")
    return ["--tls-cert", str(certificate), "--tls-key", str(key)]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with an image for every row."""
    return write_configmaps(tmp_path_factory.mktemp("world"), *WORLD)


@pytest.fixture(scope="session")
def gate(plane: Plane, pair: list[str], world: Path) -> Iterator[Gate]:  # noqa: F811
    with run_gate(world, plane.credentials.ca, *pair) as running:
        yield running


@pytest.fixture(scope="session")
def shop(gatekeeper: Gatekeeper, gate: Gate) -> Kubectl:
    """kubectl in a namespace that the example's Constraints guard."""
    return put_in_force(gatekeeper, SHOP, gatekeeper.plane.credentials.ca.read_bytes(), gate.port)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the document's commands last: their end takes away the template that all others need."""
    items.sort(key=lambda item: item.path.name == "test_document.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what Gatekeeper said last when a test fails."""
    report = yield
    used = item.funcargs if isinstance(item, pytest.Function) else {}
    if report.failed and isinstance(running := used.get("gatekeeper"), Gatekeeper):
        report.sections.append((f"the end of {running.program.log}", running.program.tail()))
    return report
