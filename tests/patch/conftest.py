"""One registry and one BuildKit for the session, and the Debian images that all tests start from."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.groups import leave_out
from tests.patch.apt_updates import Apt
from tests.patch.bench import CLEAN, TOOLING, TOOLING_TAGS, Bench, Debian, Programs, find_built, make_debian
from tests.patch.buildkit import BuildKit, run_buildkit
from tests.patch.debian_suites import read_suites
from tests.patch.oci_layout import write_layout
from tests.patch.registry import Registry, run_registry
from tests.patch.scanner import Scanner
from tests.patch.site import Site
from tools.cache import find_cache
from tools.debian import PACKAGES, find_missing


@pytest.fixture(scope="session")
def programs() -> Programs:
    if os.geteuid() != 0:
        leave_out("BuildKit and mmdebstrap need root here")
    if missing := find_missing(PACKAGES["patch"]):
        leave_out(f"not installed: {' '.join(missing)}; make patch does, as root on Debian")
    return find_built(find_cache()) or leave_out("Trivy, Copa and BuildKit are not built here; make tools does")


@pytest.fixture(scope="session")
def debian(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Debian:  # noqa: ARG001
    suites = read_suites()
    return make_debian(find_cache(), suites, Apt.make(tmp_path_factory.mktemp("apt"), suites))


@pytest.fixture(scope="session")
def registry(debian: Debian, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry that all share, with Copa's tooling images: no test may end it."""
    layout = write_layout(tmp_path_factory.mktemp("tooling") / "layout", debian.roots[CLEAN])
    with run_registry(tmp_path_factory.mktemp("registry")) as running:
        running.push(layout, TOOLING, *TOOLING_TAGS)
        yield running


@pytest.fixture(scope="session")
def guarded_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """One that asks for a login."""
    with run_registry(tmp_path_factory.mktemp("guarded-registry"), with_login=True) as running:
        yield running


@pytest.fixture(scope="session")
def buildkit(
    programs: Programs, registry: Registry, guarded_registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BuildKit]:
    """The BuildKit that all share: no test may end it."""
    known = [registry.address, guarded_registry.address]
    with run_buildkit(programs.buildkit, tmp_path_factory.mktemp("buildkit"), known, registry.address) as running:
        yield running


@pytest.fixture
def bench(programs: Programs, registry: Registry, buildkit: BuildKit, debian: Debian, tmp_path: Path) -> Bench:
    return Bench(programs, registry, buildkit, debian, tmp_path)


@pytest.fixture
def scanner(bench: Bench) -> Scanner:
    """Trivy that knows all that the images lack."""
    return bench.scan_with(bench.write_database(bench.facts))


@pytest.fixture
def site(bench: Bench, scanner: Scanner) -> Site:
    """A directory without ConfigMaps, and a database of now that knows all that the images lack."""
    return Site.make(bench, scanner.database)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the programs said last when a test fails."""
    report = yield
    used = item.funcargs if isinstance(item, pytest.Function) else {}
    if report.failed and isinstance(bench := used.get("bench"), Bench):
        logs = (bench.registry.program, bench.buildkit.program)
        report.sections += [(f"the end of {program.log}", program.tail()) for program in logs]
    return report
