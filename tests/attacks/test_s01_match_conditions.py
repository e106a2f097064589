"""S1: the chart's matchConditions on Pods of many containers. The gate is asked whatever a Pod holds.

CEL has a cost budget (k8s.io/apiserver, pkg/apis/cel/config.go: 1,000,000 an expression). A condition that exceeds it
has failed: under Ignore kube-apiserver then does not ask the gate, under Fail it refuses the request without asking.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import name_of, pod
from tests.plane.webhooks import guard
from tests.plane.world import API, API_USE, NOT_TRACKED

REFUSED = ("PatchAvailable", f"{API}: a patched image is available; use {API_USE}")
LONG = f"registry.example.com/{'a' * 200}/{'b' * 30}:{'c' * 128}"
"""A name of nearly the most characters that a reference has: comparing strings costs by their length."""
COUNTERS = "apiserver_admission_match_condition_evaluation_errors_total"


@dataclass(frozen=True)
class Asked:
    """kubectl in a namespace whose requests are asked about by the chart's conditions, and the plane behind it."""

    plane: Plane
    kubectl: Kubectl

    def count_errors(self) -> float:
        """Count the conditions that failed, as the chart's alert does."""
        lines = self.plane.kubectl.do("get", "--raw", "/metrics").out.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{COUNTERS}{{"))


@pytest.fixture(scope="module", params=["Ignore", "Fail"])
def asked(
    request: pytest.FixtureRequest,
    plane: Plane,
    helm: Helm,
    world: Path,
) -> Iterator[Asked]:
    conditions = Chart(helm).render().webhooks["enforce"]["matchConditions"]
    policy = str(request.param)
    name = f"costly-{policy.lower()}"
    with guard(plane, name, world, matchConditions=conditions, failurePolicy=policy, timeoutSeconds=30) as guarded:
        yield Asked(plane, guarded.webhook.enforce)


def make_containers(count: int, image: str = NOT_TRACKED) -> list[dict[str, str]]:
    return [{"name": f"c{number}", "image": image} for number in range(count)]


def add_debug_container(kubectl: Kubectl, name: str, image: str) -> Any:  # noqa: ANN401 -- what kubectl said
    change = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": image}]}}
    return kubectl.patch(f"pod/{name}", change, "--subresource=ephemeralcontainers")


@pytest.mark.parametrize("count", [1, 260, 3000])
@pytest.mark.parametrize("place", ["containers", "initContainers"])
def test_an_update_and_a_debug_container_are_refused(asked: Asked, count: int, place: str) -> None:
    before = asked.count_errors()
    manifest = pod(NOT_TRACKED, **{place: make_containers(count)})
    assert asked.kubectl.create(manifest).is_admitted
    change = [{"op": "replace", "path": f"/spec/{place}/{count - 1}/image", "value": API}]
    assert asked.kubectl.patch(f"pod/{name_of(manifest)}", change, kind="json").refusal == REFUSED
    assert add_debug_container(asked.kubectl, name_of(manifest), API).refusal == REFUSED
    assert asked.count_errors() == before


def test_it_is_asked_however_long_the_images_names_are(asked: Asked) -> None:
    before = asked.count_errors()
    manifest = pod(NOT_TRACKED, containers=make_containers(1000, LONG))
    assert asked.kubectl.create(manifest).is_admitted
    change = [{"op": "replace", "path": "/spec/containers/999/image", "value": API}]
    assert asked.kubectl.patch(f"pod/{name_of(manifest)}", change, kind="json").refusal == REFUSED
    assert asked.count_errors() == before


def test_an_ordinary_pod_with_300_ephemeral_containers_is_still_asked_about(asked: Asked) -> None:
    before = asked.count_errors()
    manifest = pod(NOT_TRACKED)
    assert asked.kubectl.create(manifest).is_admitted
    name = name_of(manifest)
    change = {"spec": {"ephemeralContainers": make_containers(300)}}
    assert asked.kubectl.patch(f"pod/{name}", change, "--subresource=ephemeralcontainers").is_admitted
    assert add_debug_container(asked.kubectl, name, API).refusal == REFUSED
    change_image = [{"op": "replace", "path": "/spec/containers/0/image", "value": API}]
    assert asked.kubectl.patch(f"pod/{name}", change_image, kind="json").refusal == REFUSED
    assert asked.count_errors() == before


def test_a_pod_of_3000_containers_is_refused_when_it_is_made(asked: Asked) -> None:
    containers = [*make_containers(2999), {"name": "last", "image": API}]
    assert asked.kubectl.create(pod(NOT_TRACKED, containers=containers)).refusal == REFUSED


def test_a_condition_that_fails_shows_in_the_counter_that_the_alert_watches(
    plane: Plane,
    world: Path,
) -> None:
    failing = [{"name": "fails", "expression": "object.spec.nothing == 1"}]
    with guard(plane, "failing", world, matchConditions=[], failurePolicy="Ignore") as guarded:
        configuration = plane.kubectl.get("validatingwebhookconfiguration", "failing")
        for webhook in configuration["webhooks"]:
            webhook["matchConditions"] = failing
        plane.kubectl.do("replace", "-f", "-", given=configuration)
        inside = guarded.webhook.enforce
        wait_until(lambda: inside.create(pod(API), "--dry-run=server").is_admitted, "the condition is in force")
        lines = plane.kubectl.do("get", "--raw", "/metrics").out.splitlines()
        counted = [
            line for line in lines if line.startswith(COUNTERS) and 'name="enforce.failing.patchgate.io"' in line
        ]
        assert counted, "under Ignore nobody is asked, and nothing else says so"
