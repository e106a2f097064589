"""What controllers make of a workload: how a refusal of its Pods is seen, and whom each scope spares."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import deployment, job, name_of, pod
from tests.plane.webhooks import Webhook, enforce_in, guard
from tests.plane.world import API, API_USE, FRONTEND, ROLLED_OUT, ROLLED_OUT_USE
from tests.world import digest

API_DIGEST = f"{API.partition(':')[0]}@{digest('patched')}"
REFUSAL = f"{API}: a patched image is available; use {API_USE}"


@pytest.fixture(scope="module")
def pods_only(plane: Plane, world: Path) -> Iterator[Webhook]:
    with guard(plane, "pods-only", world, "--scope", "pods") as guarded:
        yield guarded.webhook


@pytest.fixture(scope="module")
def rollouts(plane: Plane, world: Path) -> Iterator[Webhook]:
    with guard(plane, "rollouts", world, "--scope", "rollouts") as guarded:
        yield guarded.webhook


@pytest.fixture(scope="module")
def refused_later(pods_only: Webhook) -> str:
    """The name of a Deployment that was warned about when it was applied."""
    manifest = deployment(API)
    said = pods_only.enforce.apply(manifest)
    assert (said.code, said.out) == (0, f"deployment.apps/{name_of(manifest)} created\n")
    assert said.warnings == (f"{API}: a patched image is available", f"use {API_DIGEST}")
    return name_of(manifest)


def roll_out_before(plane: Plane, namespace: str, image: str) -> tuple[Kubectl, str]:
    """Roll out a Deployment in a namespace that no gate guards yet; gives the name of its Pod."""
    kubectl = plane.make_namespace(namespace)
    kubectl.do("create", "-f", "-", given=deployment(image))
    wait_until(lambda: pods_of(kubectl), "the Deployment's Pod")
    return kubectl, str(pods_of(kubectl)[0]["metadata"]["name"])


def pods_of(kubectl: Kubectl) -> list[dict[str, Any]]:
    """The Pods that are not being deleted."""
    pods: list[dict[str, Any]] = kubectl.get("pods")["items"]
    return [each for each in pods if "deletionTimestamp" not in each["metadata"]]


def lose(kubectl: Kubectl, name: str) -> None:
    """What the loss of a node comes to: the Pod goes, and its controller makes another."""
    kubectl.do("delete", "pod", name, "--grace-period=0", "--force")


def find_events(kubectl: Kubectl, kind: str) -> list[str]:
    """The messages of the events FailedCreate of objects of a kind."""
    events = kubectl.get("events", f"--field-selector=reason=FailedCreate,involvedObject.kind={kind}")["items"]
    return [event["message"] for event in events]


class TestScopePods:
    """Templates only warn, Pods are refused."""

    def test_the_deployment_says_why_it_has_no_pods(self, pods_only: Webhook, refused_later: str) -> None:
        def find_failure() -> list[dict[str, str]]:
            status = pods_only.enforce.get("deployment", refused_later)["status"]
            return [each for each in status.get("conditions", []) if each["type"] == "ReplicaFailure"]

        wait_until(find_failure, "the condition ReplicaFailure")
        condition = find_failure()[0]
        assert (condition["status"], condition["reason"]) == ("True", "FailedCreate")
        assert condition["message"].endswith(f"denied the request: {REFUSAL}")

    @pytest.mark.usefixtures("refused_later")
    def test_the_replica_set_has_an_event_that_says_why(self, pods_only: Webhook) -> None:
        wait_until(lambda: find_events(pods_only.enforce, "ReplicaSet"), "the ReplicaSet's event")
        message = find_events(pods_only.enforce, "ReplicaSet")[0]
        assert message.startswith(f'Error creating: admission webhook "enforce.{pods_only.name}.patchgate.io"')
        assert message.endswith(REFUSAL)

    def test_a_job_has_an_event_that_says_why(self, pods_only: Webhook) -> None:
        assert pods_only.enforce.apply(job(API)).warnings
        wait_until(lambda: find_events(pods_only.enforce, "Job"), "the Job's event")
        assert find_events(pods_only.enforce, "Job")[0].endswith(REFUSAL)

    def test_a_person_is_refused_a_pod(self, pods_only: Webhook) -> None:
        assert pods_only.enforce.create(pod(API)).refusal == ("PatchAvailable", REFUSAL)


class TestScopeRollouts:
    """What a built-in controller makes only warns, so that a lost node is no outage."""

    def test_a_lost_pod_comes_back(self, plane: Plane, rollouts: Webhook) -> None:
        kubectl, name = roll_out_before(plane, "lost-under-rollouts", FRONTEND)
        enforce_in(kubectl, rollouts)
        lose(kubectl, name)
        wait_until(lambda: pods_of(kubectl), "another Pod")
        again = pods_of(kubectl)[0]
        assert again["metadata"]["name"] != name
        assert again["spec"]["containers"][0]["image"] == FRONTEND

    def test_a_person_is_refused_template_and_pod(self, rollouts: Webhook) -> None:
        assert rollouts.enforce.create(deployment(API)).refusal == ("PatchAvailable", REFUSAL)
        assert rollouts.enforce.create(pod(API)).refusal == ("PatchAvailable", REFUSAL)

    def test_a_person_who_writes_an_owner_is_refused_all_the_same(self, rollouts: Webhook) -> None:
        manifest = pod(API)
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "b7", "controller": True}
        manifest["metadata"]["ownerReferences"] = [owner]
        assert rollouts.enforce.create(manifest).refusal == ("PatchAvailable", REFUSAL)


class TestScopeAll:
    """Everyone is judged alike; but for a while after a patch, controllers may still use the old image."""

    def test_a_lost_pod_is_refused(self, plane: Plane, webhook: Webhook) -> None:
        kubectl, name = roll_out_before(plane, "lost-under-all", FRONTEND)
        enforce_in(kubectl, webhook)
        lose(kubectl, name)
        wait_until(lambda: find_events(kubectl, "ReplicaSet"), "the ReplicaSet's event")
        assert f"{FRONTEND}: not approved within 24 h" in find_events(kubectl, "ReplicaSet")[0]
        assert pods_of(kubectl) == []

    def test_a_lost_pod_comes_back_within_the_grace(self, plane: Plane, webhook: Webhook) -> None:
        kubectl, name = roll_out_before(plane, "lost-in-grace", ROLLED_OUT)
        enforce_in(kubectl, webhook)
        refused = ("PatchAvailable", f"{ROLLED_OUT}: a patched image is available; use {ROLLED_OUT_USE}")
        assert kubectl.create(pod(ROLLED_OUT)).refusal == refused
        lose(kubectl, name)
        wait_until(lambda: pods_of(kubectl), "another Pod")
        assert pods_of(kubectl)[0]["spec"]["containers"][0]["image"] == ROLLED_OUT
