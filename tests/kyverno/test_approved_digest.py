"""The policy require-copa-approved-digest, in each form: tracked images run by an approved digest alone."""

from collections.abc import Iterator, Mapping

import pytest

from tests.chart.rendering import Chart
from tests.kyverno.policies import Policies, enforce, say
from tests.plane.control_plane import Plane
from tests.plane.manifests import deployment, name_of, pod
from tests.plane.world import API, API_PATCHED, API_USE, FRONTEND, NOT_TRACKED, PINNED, UNLISTED
from tests.world import digest

DENY: Mapping[str, object] = {"requireApprovedDigest": "Deny", "blockUnpatchedImages": "none"}
REPOSITORY = API.partition(":")[0]


@pytest.fixture(scope="module", params=["validatingPolicy", "clusterPolicy", "catalog", "configMaps"])
def policies(
    request: pytest.FixtureRequest, plane: Plane, chart: Chart, url: str, image_lists: None
) -> Iterator[Policies]:
    assert image_lists is None
    with enforce(plane, chart, request.param, url, **DENY) as enforced:
        yield enforced


@pytest.mark.parametrize("image", [API, API_PATCHED, FRONTEND, UNLISTED, f"{REPOSITORY}@{digest('something else')}"])
def test_a_tracked_image_is_refused_unless_named_by_an_approved_digest(policies: Policies, image: str) -> None:
    said = policies.namespace.create(pod(image))
    assert not said.is_admitted
    assert f"{image}: not an approved digest" in say(said)


@pytest.mark.parametrize(
    "image", [API_USE, f"{REPOSITORY}@{digest('patched')}", f"{PINNED}@{digest('source')}", NOT_TRACKED]
)
def test_an_approved_digest_is_admitted(policies: Policies, image: str) -> None:
    said = policies.namespace.create(pod(image))
    assert said.is_admitted, said.errors


def test_another_spelling_is_no_way_round(policies: Policies) -> None:
    host, _, path = API.partition("/")
    for spelled in (f"{host.upper()}/{path}", f"{host}:443/{path}"):
        said = policies.namespace.create(pod(spelled))
        assert not said.is_admitted, spelled


def test_what_makes_pods_is_judged(policies: Policies) -> None:
    assert "not an approved digest" in say(policies.namespace.create(deployment(API)))
    assert policies.namespace.create(deployment(API_USE)).is_admitted


def test_an_update_that_adds_nothing_is_admitted(policies: Policies) -> None:
    running = pod(API_USE)
    assert policies.namespace.create(running).is_admitted
    said = policies.namespace.patch(f"pod/{name_of(running)}", {"metadata": {"labels": {"a": "b"}}})
    assert said.is_admitted, said.errors
