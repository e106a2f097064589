"""S1 for Kyverno's forms: Pods of 300 images, an update to an unpatched one, a debug container: refused each time."""

from collections.abc import Iterator

import pytest

from tests.chart.rendering import Chart
from tests.kyverno.policies import Policies, enforce, say
from tests.plane.control_plane import Plane
from tests.plane.kubectl import Said
from tests.plane.manifests import deployment, name_of, pod
from tests.plane.world import API, NOT_TRACKED

COUNT = 300
FORMS = [
    (form, failure_policy)
    for form in ("validatingPolicy", "clusterPolicy", "catalog", "configMaps")
    for failure_policy in ("Fail", "Ignore")
]


@pytest.fixture(scope="module", params=FORMS, ids="-".join)
def policies(
    request: pytest.FixtureRequest, plane: Plane, chart: Chart, url: str, image_lists: None
) -> Iterator[Policies]:
    assert image_lists is None
    form, failure_policy = request.param
    values = {"requireApprovedDigest": "Deny", "blockUnpatchedImages": "none"} if form == "catalog" else {}
    with enforce(plane, chart, form, url, failurePolicy=failure_policy, timeoutSeconds=30, **values) as enforced:
        yield enforced


def make_containers(count: int) -> list[dict[str, str]]:
    return [{"name": f"c{number}", "image": f"docker.io/library/busybox:1.{number}"} for number in range(count)]


def is_refused(said: Said) -> bool:
    return not said.is_admitted and API in say(said)


def add_debug_container(policies: Policies, name: str) -> Said:
    change = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": API}]}}
    return policies.namespace.patch(f"pod/{name}", change, "--subresource=ephemeralcontainers")


def change_image(policies: Policies, what: str, place: str) -> Said:
    change = [{"op": "replace", "path": f"{place}/image", "value": API}]
    return policies.namespace.patch(what, change, kind="json")


def test_a_pod_of_many_images_is_refused_when_it_is_made(policies: Policies) -> None:
    containers = [*make_containers(COUNT - 1), {"name": "last", "image": API}]
    assert is_refused(policies.namespace.create(pod(NOT_TRACKED, containers=containers)))


def test_an_update_of_one_and_a_debug_container_are_refused(policies: Policies) -> None:
    manifest = pod(NOT_TRACKED, containers=make_containers(COUNT))
    said = policies.namespace.create(manifest)
    assert said.is_admitted, said.errors
    name = name_of(manifest)
    assert is_refused(change_image(policies, f"pod/{name}", f"/spec/containers/{COUNT - 1}"))
    assert is_refused(add_debug_container(policies, name))


def test_an_ordinary_pod_with_many_ephemeral_containers_is_judged_too(policies: Policies) -> None:
    manifest = pod(NOT_TRACKED)
    assert policies.namespace.create(manifest).is_admitted
    name = name_of(manifest)
    change = {"spec": {"ephemeralContainers": make_containers(COUNT)}}
    said = policies.namespace.patch(f"pod/{name}", change, "--subresource=ephemeralcontainers")
    assert said.is_admitted, said.errors
    assert is_refused(change_image(policies, f"pod/{name}", "/spec/containers/0"))
    assert is_refused(add_debug_container(policies, name))


def test_a_template_of_many_images_is_refused_when_it_changes(policies: Policies) -> None:
    manifest = deployment(NOT_TRACKED)
    manifest["spec"]["template"]["spec"]["containers"] = make_containers(COUNT)
    said = policies.namespace.create(manifest)
    assert said.is_admitted, said.errors
    place = f"/spec/template/spec/containers/{COUNT - 1}"
    assert is_refused(change_image(policies, f"deployment/{name_of(manifest)}", place))


def test_more_than_a_thousand_images_are_refused_whatever_they_are(policies: Policies) -> None:
    said = policies.namespace.create(pod(NOT_TRACKED, containers=make_containers(1001)))
    assert not said.is_admitted
