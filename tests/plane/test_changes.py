"""Changes of what was there before the gate: only an image that a change adds is judged."""

from dataclasses import dataclass

import pytest

from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl, Said
from tests.plane.manifests import deployment, name_of, pod
from tests.plane.webhooks import Webhook, enforce_in
from tests.plane.world import API, API_PATCHED, FRONTEND, NOT_TRACKED, WORKER

NEXT_PODS = "the next Pods of this template will be refused: it keeps images that may not run"


@dataclass(frozen=True)
class Older:
    """A namespace whose workloads run FRONTEND, which the gate would refuse: it came later.

    Attributes:
        kubectl: in the namespace.
        pod, held, deployment: names; a Pod, one with a finalizer, a Deployment with a Pod.
    """

    kubectl: Kubectl
    pod: str
    held: str
    deployment: str


@pytest.fixture(scope="module")
def older(plane: Plane, webhook: Webhook) -> Older:
    kubectl = plane.make_namespace("older")
    manifests = [pod(FRONTEND), pod(FRONTEND), deployment(FRONTEND)]
    manifests[0]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "1m"}}
    manifests[1]["metadata"]["finalizers"] = ["example.com/hold"]
    for manifest in manifests:
        kubectl.do("create", "-f", "-", given=manifest)
    there = Older(kubectl, *map(name_of, manifests))
    wait_until(lambda: kubectl.get("deployment", there.deployment)["status"].get("unavailableReplicas"), "its Pod")
    enforce_in(kubectl, webhook)
    return there


def check_next_pods(said: Said) -> None:
    assert said.code == 0
    assert said.warnings[0] == NEXT_PODS
    assert "plane/frontend:3.0.1: not approved within 24 h of " in said.warnings[1], "a warning has 120 characters"


def with_image(image: str) -> dict[str, object]:
    return {"spec": {"containers": [{"name": "main", "image": image}]}}


def test_what_runs_there_would_be_refused_today(older: Older) -> None:
    assert older.kubectl.create(pod(FRONTEND)).refusal[0] == "SlaBreached"
    assert older.kubectl.create(deployment(FRONTEND)).refusal[0] == "SlaBreached"


class TestAPod:
    def test_a_label_is_changed_without_a_word(self, older: Older) -> None:
        said = older.kubectl.ask("label", "pod", older.pod, "team=shop")
        assert (said.code, said.warnings) == (0, ())

    def test_its_status_is_nobodys_business(self, older: Older) -> None:
        change = {"status": {"message": "seen"}}
        said = older.kubectl.patch(f"pod/{older.pod}", change, "--subresource=status")
        assert (said.code, said.warnings) == (0, ())
        assert older.kubectl.get("pod", older.pod)["status"]["message"] == "seen"

    def test_its_resize_is_let_through(self, older: Older) -> None:
        change = {"spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "10m"}}}]}}
        said = older.kubectl.patch(f"pod/{older.pod}", change, "--subresource=resize")
        assert (said.code, said.errors, said.warnings) == (0, "", ())

    def test_a_new_image_is_judged(self, older: Older) -> None:
        assert older.kubectl.patch(f"pod/{older.pod}", with_image(API)).refusal[0] == "PatchAvailable"
        assert older.kubectl.patch(f"pod/{older.pod}", with_image(WORKER)).warnings
        assert older.kubectl.patch(f"pod/{older.pod}", with_image(API_PATCHED)).is_admitted
        assert older.kubectl.patch(f"pod/{older.pod}", with_image(FRONTEND)).refusal[0] == "SlaBreached"


def test_a_pod_that_is_deleted_loses_its_finalizer_and_goes(older: Older) -> None:
    older.kubectl.do("delete", "pod", older.held, "--wait=false", "--grace-period=0")
    assert older.kubectl.get("pod", older.held)["metadata"]["deletionTimestamp"]
    change = [
        {"op": "replace", "path": "/spec/containers/0/image", "value": API},  # whoever waits for it must not be held up
        {"op": "remove", "path": "/metadata/finalizers"},
    ]
    said = older.kubectl.patch(f"pod/{older.held}", change, kind="json")
    assert (said.code, said.warnings) == (0, ())
    wait_until(lambda: not older.kubectl.ask("get", "pod", older.held).is_admitted, "the end of the Pod")


class TestADeployment:
    def test_it_is_scaled_without_a_word(self, older: Older) -> None:
        said = older.kubectl.ask("scale", "deployment", older.deployment, "--replicas=1")
        assert (said.code, said.warnings) == (0, ())

    def test_a_change_that_keeps_its_image_warns_of_its_next_pods(self, older: Older) -> None:
        edited = older.kubectl.patch(f"deployment/{older.deployment}", {"spec": {"replicas": 0}})
        noted = older.kubectl.ask("annotate", "deployment", older.deployment, "note=x")
        for said in (edited, noted):
            check_next_pods(said)

    def test_its_status_is_kept_up_by_its_controller(self, older: Older) -> None:
        def is_observed() -> bool:
            found = older.kubectl.get("deployment", older.deployment)
            return bool(found["status"]["observedGeneration"] == found["metadata"]["generation"])

        wait_until(is_observed, "the Deployment's status")

    def test_a_restart_warns_that_its_next_pods_will_be_refused(self, older: Older) -> None:
        check_next_pods(older.kubectl.ask("rollout", "restart", f"deployment/{older.deployment}"))

    def test_a_new_image_is_judged(self, older: Older) -> None:
        def set_image(image: str) -> bool:
            return older.kubectl.ask("set", "image", f"deployment/{older.deployment}", f"main={image}").is_admitted

        assert [set_image(image) for image in (API, API_PATCHED, FRONTEND)] == [False, True, False]


class TestADryRun:
    def test_it_is_judged_like_any_other(self, webhook: Webhook) -> None:
        assert webhook.enforce.create(pod(API), "--dry-run=server").refusal[0] == "PatchAvailable"

    def test_it_leaves_nothing(self, webhook: Webhook) -> None:
        manifest = pod(API_PATCHED)
        assert webhook.enforce.create(manifest, "--dry-run=server").is_admitted
        assert "NotFound" in webhook.enforce.ask("get", "pod", name_of(manifest)).errors


def test_a_binding_carries_no_image_and_goes_through(webhook: Webhook) -> None:
    manifest = pod(NOT_TRACKED)
    assert webhook.enforce.create(manifest).is_admitted
    target = {"apiVersion": "v1", "kind": "Node", "name": "some-node"}
    binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name_of(manifest)}, "target": target}
    path = f"/api/v1/namespaces/{webhook.enforce.namespace}/pods/{name_of(manifest)}/binding"
    said = webhook.enforce.ask("create", "--raw", path, "-f", "-", given=binding)
    assert said.is_admitted, said.errors
    assert webhook.enforce.get("pod", name_of(manifest))["spec"]["nodeName"] == "some-node"
