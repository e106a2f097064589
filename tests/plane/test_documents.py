"""The blocks of the documents that need a cluster: each page on a real kube-apiserver, with Helm, from the start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.docs.blocks import list_runnable
from tests.docs.shell import run_page
from tests.plane.conftest import PlaneRunner
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import PROGRAM

NAMESPACES = ("copa-system", "copa-buildkit", "shop", "flux-system")
"""What a page may make, and `shop`, which it finds."""
GONE_SECONDS = 120.0


@pytest.fixture(scope="module")
def empty(run_own_plane: PlaneRunner) -> Iterator[Plane]:
    """A control plane of which pages may take the usual names."""
    with run_own_plane() as running:
        yield running


@pytest.fixture
def cluster(empty: Plane) -> Iterator[Plane]:
    """The same with the namespace `shop`; what a page made there is taken away."""
    empty.make_namespace("shop")
    yield empty
    everywhere = "validatingwebhookconfiguration,clusterrole,clusterrolebinding"
    empty.kubectl.do("delete", everywhere, "--selector", "app.kubernetes.io/managed-by=Helm")
    empty.kubectl.do("delete", "namespace", *NAMESPACES, "--ignore-not-found", "--wait=false")
    wait_until(lambda: not set(NAMESPACES) & list_namespaces(empty), "the page's namespaces are gone", GONE_SECONDS)


def list_namespaces(plane: Plane) -> set[str]:
    return {each["metadata"]["name"] for each in plane.kubectl.get("namespaces")["items"]}


@pytest.mark.parametrize("page", list_runnable(needs_cluster=True))
def test_the_blocks_of_a_page_run(page: str, cluster: Plane, helm: Helm, tmp_path: Path) -> None:
    environment = {"KUBECONFIG": str(cluster.kubectl.kubeconfig)}
    run_page(page, tmp_path, environment, [helm.program.parent, PROGRAM.parent])
