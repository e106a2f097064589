"""What Kyverno sends us: every place of an image, every kind that makes Pods, what an update adds, and who asks."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.chart.rendering import Chart
from tests.kyverno.controllers import WAIT_SECONDS
from tests.kyverno.policies import BOTH, Policies, enforce, say
from tests.plane.control_plane import Plane, wait_until
from tests.plane.manifests import (
    cron_job,
    daemon_set,
    deployment,
    job,
    name_of,
    pod,
    replica_set,
    replication_controller,
    stateful_set,
)
from tests.plane.world import API, API_PATCHED, API_USE, NOT_TRACKED, ROLLED_OUT

REFUSED = f"{API}: a patched image is available; use {API_USE}"


@pytest.fixture(scope="module", params=BOTH)
def policies(request: pytest.FixtureRequest, plane: Plane, chart: Chart, url: str) -> Iterator[Policies]:
    with enforce(plane, chart, request.param, url) as enforced:
        yield enforced


@pytest.mark.parametrize(
    "place",
    [
        lambda image: pod(NOT_TRACKED, initContainers=[{"name": "init", "image": image}]),
        lambda image: pod(NOT_TRACKED, volumes=[{"name": "data", "image": {"reference": image}}]),
    ],
    ids=["init container", "image volume"],
)
def test_an_image_is_found_in_a_pod(policies: Policies, place: Callable[[str], dict[str, Any]]) -> None:
    assert REFUSED in say(policies.namespace.create(place(API)))
    assert policies.namespace.create(place(API_PATCHED)).is_admitted


@pytest.mark.parametrize("make", [deployment, stateful_set, daemon_set, replication_controller, job, cron_job])
def test_an_image_is_found_in_a_template(policies: Policies, make: Callable[[str], dict[str, Any]]) -> None:
    assert REFUSED in say(policies.namespace.create(make(API)))
    assert policies.namespace.create(make(API_PATCHED)).is_admitted


def test_kyverno_leaves_replica_sets_out_but_not_their_pods(policies: Policies) -> None:
    """By its own `resourceFilters`."""
    made = replica_set(API)
    assert policies.namespace.create(made).is_admitted
    chosen = ("--field-selector", f"involvedObject.name={name_of(made)},reason=FailedCreate")
    wait_until(lambda: policies.namespace.get("events", *chosen)["items"], "its controller says why", WAIT_SECONDS)
    assert "a patched image is available" in policies.namespace.get("events", *chosen)["items"][0]["message"]


def test_an_ephemeral_container_is_judged(policies: Policies) -> None:
    running = pod(NOT_TRACKED)
    assert policies.namespace.create(running).is_admitted
    debug = ("debug", name_of(running), "--attach=false")
    assert REFUSED in say(policies.namespace.ask(*debug, f"--image={API}"))
    said = policies.namespace.ask(*debug, f"--image={API_PATCHED}")
    assert said.is_admitted, said.errors


class TestUpdate:
    """A Pod that was there before the list named its image."""

    @pytest.fixture
    def old(self, plane: Plane, policies: Policies) -> str:
        manifest = pod(API)
        label_namespace(plane, policies, "patchgate.io/mode=audit")
        wait_until(lambda: policies.namespace.create(pod(API), "--dry-run=server").is_admitted, "audit")
        policies.namespace.do("create", "-f", "-", given=manifest)
        label_namespace(plane, policies, "patchgate.io/mode-")
        wait_until(lambda: not policies.namespace.create(pod(API), "--dry-run=server").is_admitted, "enforce")
        return name_of(manifest)

    def test_that_adds_nothing_is_admitted(self, policies: Policies, old: str) -> None:
        assert policies.namespace.patch(f"pod/{old}", {"metadata": {"labels": {"a": "b"}}}).is_admitted

    def test_that_adds_an_image_is_judged(self, policies: Policies, old: str) -> None:
        worse = {"spec": {"containers": [{"name": "main", "image": ROLLED_OUT}]}}
        assert f"{ROLLED_OUT}: a patched image is available" in say(policies.namespace.patch(f"pod/{old}", worse))
        better = {"spec": {"containers": [{"name": "main", "image": API_PATCHED}]}}
        assert policies.namespace.patch(f"pod/{old}", better).is_admitted


def test_a_controllers_pod_has_the_grace_of_a_rollout(plane: Plane, policies: Policies) -> None:
    """Its image was patched two hours ago: refused to people, admitted when a ReplicaSet's Pod is lost."""
    assert not policies.namespace.create(pod(ROLLED_OUT)).is_admitted
    label_namespace(plane, policies, "patchgate.io/mode=audit")
    made = deployment(ROLLED_OUT)
    wait_until(lambda: policies.namespace.create(made).is_admitted, "audit")
    label_namespace(plane, policies, "patchgate.io/mode-")
    wait_until(lambda: not policies.namespace.create(pod(ROLLED_OUT), "--dry-run=server").is_admitted, "enforce")
    wait_until(lambda: list_pods(policies, name_of(made)), "its Pod")
    before = list_pods(policies, name_of(made))
    policies.namespace.do("delete", "pod", *before, "--grace-period=0", "--force")
    wait_until(lambda: set(list_pods(policies, name_of(made))) - set(before), "another Pod")


def test_braces_in_an_object_are_nobodys_variables(policies: Policies) -> None:
    """Else whoever writes an annotation makes the rule an error, which failurePolicy Ignore lets through."""
    for image in (API_PATCHED, API):
        manifest = pod("", containers=[{"name": "main", "image": image, "args": ["$(NAME)", "{{`{{", "{{{"]}])
        manifest["metadata"]["annotations"] = {"note": "{{ request.object.nothing }} {{{ {{{{ no such thing }"}
        said = policies.namespace.create(manifest)
        assert said.is_admitted == (image == API_PATCHED), said.errors
        assert said.is_admitted or REFUSED in say(said)


def label_namespace(plane: Plane, policies: Policies, label: str) -> None:
    plane.kubectl.do("label", "namespace", policies.namespace.namespace, label, "--overwrite")


def list_pods(policies: Policies, owner: str) -> list[str]:
    found = policies.namespace.get("pods")["items"]
    return [each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith(owner)]
