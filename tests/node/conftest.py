"""One node for the session, which every module shares."""

import os
from collections.abc import Generator, Iterator

import pytest

from tests.chart.conftest import helm  # noqa: F401 -- a fixture
from tests.groups import leave_out
from tests.node.cgroups import can_make_cgroups
from tests.node.debian_images import push_debian_images
from tests.node.image_build import Builder
from tests.node.node import Node, run_node
from tests.node.programs import Built
from tests.node.release_images import make_release_images
from tests.node.rootless_buildkit import make_rootless_buildkit
from tests.node.shop import Shop, push_shop
from tests.node.way_out import run_way_out
from tests.patch.apt_updates import Apt
from tests.patch.bench import find_built, make_debian
from tests.patch.buildkit import run_buildkit
from tests.patch.debian_suites import read_suites
from tests.patch.vulnerability_database import DatabaseWriter
from tools.build import find_programs
from tools.cache import find_cache
from tools.debian import PACKAGES, find_missing
from tools.modules import BUILDKIT, COREDNS, ETCD, KUBERNETES, NODE


@pytest.fixture(scope="session")
def built() -> Built:
    """The programs that the node runs, where they and the right to run them are there."""
    if os.geteuid() != 0:
        leave_out("a node takes root: it makes namespaces, mounts and cgroups")
    if missing := find_missing(PACKAGES["node"]):
        leave_out(f"missing of Debian: {', '.join(missing)}; make node installs them, as root on Debian")
    if not can_make_cgroups():
        leave_out("the node is made for cgroups of version 1, which this machine does not have")
    etcd, kubernetes, node, coredns = (find_programs(each, find_cache()) for each in (ETCD, KUBERNETES, NODE, COREDNS))
    if etcd is None or kubernetes is None or node is None or coredns is None:
        leave_out("kube-apiserver, kubelet and their like are not built here; make tools does")
    return Built(etcd, kubernetes, node, coredns)


@pytest.fixture(scope="session")
def node(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The node: no test may end its programs, or leave behind what another would notice."""
    with run_node(built, tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(scope="session")
def builder(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    """Builds images into the node's registry."""
    programs = find_programs(BUILDKIT, find_cache())
    if programs is None:
        leave_out("BuildKit is not built here; make tools does")
    folder, address = tmp_path_factory.mktemp("buildkit"), node.registry.address
    with run_buildkit(programs, folder, [address], address) as buildkit:
        yield Builder(programs / "buildctl", buildkit, node.registry, folder)


@pytest.fixture(scope="session")
def buildkit_image(builder: Builder) -> None:
    """Rootless BuildKit, under the name that the chart has for it."""
    make_rootless_buildkit(builder)


@pytest.fixture(scope="session")
def release_images(builder: Builder, buildkit_image: None) -> None:  # noqa: ARG001
    """All images that the chart names, under those names: ghcr.io and docker.io are the node's registry."""
    programs = find_built(find_cache())
    if programs is None:
        leave_out("Trivy and Copa are not built here; make tools does")
    make_release_images(builder, programs.trivy, programs.copa)


@pytest.fixture(scope="session")
def shop(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return push_shop(node.registry, tmp_path_factory.mktemp("shop") / "images")


@pytest.fixture(scope="session")
def debian_images(node: Node, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Debian images that lack updates, and what patching them takes."""
    programs = find_built(find_cache())
    if programs is None:
        leave_out("the writer of Trivy's databases is not built here; make tools does")
    suites = read_suites()
    debian = make_debian(find_cache(), suites, Apt.make(tmp_path_factory.mktemp("apt"), suites))
    writer = DatabaseWriter(programs.trivy_database)
    push_debian_images(node.registry, debian, writer, tmp_path_factory.mktemp("debian-images"))


@pytest.fixture(scope="session")
def way_out(node: Node) -> Iterator[None]:
    """The proxy of addresses.PROXY."""
    with run_way_out(node.machine):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, when a test fails, which of the node's programs had ended, and what they said last."""
    report = yield
    used = item.funcargs if isinstance(item, pytest.Function) else {}
    if report.failed and isinstance(node := used.get("node"), Node):
        report.sections += [("the node", said) for said in node.find_ended() or ["all of its programs run"]]
        report.sections.append(("the node's Events", node.read_warnings()))
        report.sections += node.read_container_logs().items()
    return report
