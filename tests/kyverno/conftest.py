"""One control plane with Kyverno for the session, and the gate that its policies ask."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.chart.conftest import chart, helm  # noqa: F401 -- fixtures
from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.conftest import Gate, run_gate, write_configmaps
from tests.groups import leave_out
from tests.kyverno.controllers import Kyverno, run_kyverno
from tests.kyverno.distribution import render_distribution
from tests.kyverno.site import Site
from tests.plane.conftest import plane, run_own_plane  # noqa: F401 -- fixtures
from tests.plane.control_plane import Plane
from tests.plane.webhooks import SYSTEM
from tests.plane.world import API, LINES, PINNED, WORLD
from tests.world import digest, image_list, records
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import KYVERNO
from tools.sources import find_sources


@pytest.fixture(scope="session")
def kyverno_programs() -> Path:
    programs = find_programs(KYVERNO, find_cache())
    if programs is None:
        leave_out("Kyverno is not built here; make tools does")
    return programs


@pytest.fixture(scope="session")
def kyverno(
    kyverno_programs: Path,
    plane: Plane,  # noqa: F811 -- the fixture
    helm: Helm,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Kyverno]:
    """Kyverno, which trusts the plane's CA as an operator gives it one: among its roots."""
    sources = find_sources(KYVERNO, find_cache())
    distribution = render_distribution(sources, helm, tmp_path_factory.mktemp("kyverno"))
    with run_kyverno(plane, kyverno_programs, distribution, plane.credentials.ca) as running:
        yield running


@pytest.fixture(scope="session")
def pair(plane: Plane) -> list[str]:  # noqa: F811
    """The arguments of a gate that have it serve a certificate which Kyverno trusts."""
    certificate, key = plane.credentials.issue_server("gate", "127.0.0.1")
    return ["--tls-cert", str(certificate), "--tls-key", str(key)]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory with the world of `tests/plane/world.py`: an image for every row."""
    return write_configmaps(tmp_path_factory.mktemp("world"), *WORLD)


@pytest.fixture(scope="session")
def site(
    kyverno: Kyverno,  # noqa: ARG001 -- there to be asked through
    plane: Plane,  # noqa: F811
    chart: Chart,  # noqa: F811
    pair: list[str],
    world: Path,
) -> Site:
    return Site(plane, chart, pair, world)


@pytest.fixture(scope="session")
def gate(kyverno: Kyverno, plane: Plane, pair: list[str], world: Path) -> Iterator[Gate]:  # noqa: ARG001, F811
    """A gate with that world."""
    with run_gate(world, plane.credentials.ca, *pair) as running:
        yield running


@pytest.fixture(scope="session")
def url(gate: Gate) -> str:
    """Where the gate is asked."""
    return f"https://127.0.0.1:{gate.port}"


@pytest.fixture(scope="module")
def image_lists(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:  # noqa: F811
    """The same world's lists and approvals as ConfigMaps, for policies that ask no gate."""
    repository, pinned = (name.partition(":")[0] for name in (API, PINNED))
    digests = (
        f"{repository}@{digest('patched')} # patched from {API} on 20260509",
        f"{pinned}@{digest('source')} # clean {PINNED} on 20260509",
    )
    lists = (image_list(*LINES, "# a comment", "docker.io/library/nginx:1.*"), records(digests=digests))
    folder = str(write_configmaps(tmp_path_factory.mktemp("lists"), *lists))
    system = plane.kubectl.inside(SYSTEM)
    system.do("create", "-f", folder)
    yield
    system.do("delete", "-f", folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what Kyverno said last when a test fails."""
    report = yield
    used = item.funcargs if isinstance(item, pytest.Function) else {}
    if report.failed and isinstance(running := used.get("kyverno"), Kyverno):
        programs = (running.admission, running.reports)
        report.sections += [(f"the end of {program.log}", program.tail()) for program in programs]
    return report
