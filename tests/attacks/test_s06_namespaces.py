"""S6: a namespace that the installer has not named is matched, whatever well-known name somebody creates it under."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod
from tests.plane.webhooks import guard
from tests.plane.world import API

WELL_KNOWN = ("kyverno", "gatekeeper-system", "cert-manager", "istio-system", "calico-system", "kube-system-2")
NEVER = ("kube-public", "kube-node-lease")


@pytest.fixture(scope="module")
def guarded(
    plane: Plane,
    helm: Helm,
    world: Path,
) -> Iterator[Plane]:
    """A control plane whose namespaces are chosen as the chart does."""
    selector = Chart(helm).render().webhooks["enforce"]["namespaceSelector"]
    with guard(plane, "chosen", world, namespaceSelector=selector):
        yield plane


def is_refused(namespace: Kubectl) -> bool:
    return "a patched image is available" in namespace.create(pod(API), "--dry-run=server").errors


@pytest.mark.parametrize("name", WELL_KNOWN)
def test_an_unpatched_image_is_refused_in_a_namespace_of_a_well_known_name(guarded: Plane, name: str) -> None:
    guarded.kubectl.ask("create", "namespace", name)  # which another attack may have made
    namespace = guarded.kubectl.inside(name)
    wait_until(lambda: is_refused(namespace), f"{name} is matched")
    assert not namespace.create(pod(API)).is_admitted


@pytest.mark.parametrize("name", NEVER)
def test_the_cluster_s_own_are_not_matched(guarded: Plane, name: str) -> None:
    """They exist in every cluster, so nobody can create them."""
    assert guarded.kubectl.inside(name).create(pod(API), "--dry-run=server").is_admitted
