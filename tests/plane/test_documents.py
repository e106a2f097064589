"""The blocks of the documents that need a cluster: each page on a real kube-apiserver, with Helm, from the start."""

from collections.abc import Iterator
from functools import partial
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


def is_gone(plane: Plane, namespace: str) -> bool:
    """Whether a namespace is there no more."""
    return not plane.kubectl.ask("get", "namespace", namespace).is_admitted


@pytest.fixture
def cluster(empty: Plane) -> Iterator[Plane]:
    """The same with the namespace `shop`; what a page made there is taken away."""
    empty.make_namespace("shop")
    yield empty
    everywhere = "validatingwebhookconfiguration,clusterrole,clusterrolebinding"
    empty.kubectl.do("delete", everywhere, "--selector", "app.kubernetes.io/managed-by=Helm")
    empty.kubectl.do("delete", "namespace", *NAMESPACES, "--ignore-not-found", "--wait=false")
    for name in NAMESPACES:
        wait_until(partial(is_gone, empty, name), name, GONE_SECONDS)


@pytest.mark.parametrize("page", list_runnable(needs_cluster=True))
def test_the_blocks_of_a_page_run(page: str, cluster: Plane, helm: Helm, tmp_path: Path) -> None:
    environment = {"KUBECONFIG": str(cluster.kubectl.kubeconfig)}
    run_page(page, tmp_path, environment, [helm.program.parent, PROGRAM.parent])
