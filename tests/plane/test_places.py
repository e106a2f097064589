"""Everywhere that a workload can hide an image: each place of a Pod, and each of the seven kinds that make Pods."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Said
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
from tests.plane.webhooks import Webhook
from tests.plane.world import API, API_PATCHED, API_USE, NOT_TRACKED, WORKER

REFUSED = ("PatchAvailable", f"{API}: a patched image is available; use {API_USE}")


@pytest.mark.parametrize(
    "place",
    [
        lambda image: pod(NOT_TRACKED, initContainers=[{"name": "init", "image": image}]),
        lambda image: pod(NOT_TRACKED, initContainers=[{"name": "side", "image": image, "restartPolicy": "Always"}]),
        lambda image: pod("", containers=[{"name": "a", "image": NOT_TRACKED}, {"name": "b", "image": image}]),
        lambda image: pod(NOT_TRACKED, volumes=[{"name": "data", "image": {"reference": image}}]),
    ],
    ids=["init container", "sidecar", "second container", "image volume"],
)
def test_an_image_is_found_in_a_pod(webhook: Webhook, place: Callable[[str], dict[str, Any]]) -> None:
    assert webhook.enforce.create(place(API)).refusal == REFUSED
    assert webhook.enforce.create(place(API_PATCHED)).is_admitted


@pytest.mark.parametrize(
    "make", [deployment, replica_set, stateful_set, daemon_set, replication_controller, job, cron_job]
)
def test_an_image_is_found_in_a_template(webhook: Webhook, make: Callable[[str], dict[str, Any]]) -> None:
    assert webhook.enforce.create(make(API)).refusal == REFUSED
    assert webhook.enforce.apply(make(API), "--server-side").refusal == REFUSED
    assert webhook.enforce.create(make(API_PATCHED)).is_admitted


def test_every_image_that_is_refused_is_named(webhook: Webhook) -> None:
    both = pod(API, initContainers=[{"name": "init", "image": "NGINX"}, {"name": "again", "image": API}])
    reason, message = webhook.enforce.create(both).refusal
    assert reason == "InvalidReference"
    invalid, available = message.split("; ", 1)
    assert invalid.startswith("NGINX: not an image reference: ")
    assert available == REFUSED[1]


class TestEphemeralContainers:
    """They come as UPDATE of `pods/ephemeralcontainers`, with the whole Pod."""

    @pytest.fixture
    def running(self, webhook: Webhook) -> str:
        manifest = pod(NOT_TRACKED)
        assert webhook.enforce.create(manifest).is_admitted
        return name_of(manifest)

    def debug(self, webhook: Webhook, name: str, image: str) -> Said:
        return webhook.enforce.ask("debug", name, f"--image={image}", "--attach=false")

    def test_kubectl_debug_is_refused(self, webhook: Webhook, running: str) -> None:
        reason, message = self.debug(webhook, running, API).refusal
        assert (reason, message) == REFUSED

    def test_kubectl_debug_is_admitted_with_an_approved_image(self, webhook: Webhook, running: str) -> None:
        assert self.debug(webhook, running, API_PATCHED).is_admitted
        spec = webhook.enforce.get("pod", running)["spec"]
        assert [container["image"] for container in spec["ephemeralContainers"]] == [API_PATCHED]

    def test_a_patch_of_the_subresource_is_judged_as_well(self, webhook: Webhook, running: str) -> None:
        def add(image: str) -> Said:
            change = {"spec": {"ephemeralContainers": [{"name": "debugger", "image": image}]}}
            return webhook.enforce.patch(f"pod/{running}", change, "--subresource=ephemeralcontainers")

        assert add(API).refusal == REFUSED
        assert [warning.partition(": ")[0] for warning in add(WORKER).warnings] == [WORKER]

    def test_an_image_that_the_pod_has_already_is_not_judged_again(self, webhook: Webhook) -> None:
        manifest = pod(WORKER)
        assert webhook.enforce.create(manifest).warnings
        name = name_of(manifest)
        wait_until(lambda: webhook.enforce.ask("get", "pod", name).is_admitted, "the Pod")
        assert self.debug(webhook, name, WORKER).warnings == ()
