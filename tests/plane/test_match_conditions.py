"""The chart's matchConditions, which spare the gate what it would allow unseen, on the resources of its rules.

Under failurePolicy Fail an expression that fails refuses the request without a call, so each must be null-safe: one
that deletes has no object. The chart's rules name no deletion; here they do, as an expression must bear it.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.conftest import Gate
from tests.plane.control_plane import Plane
from tests.plane.manifests import cron_job, deployment, name_of, pod
from tests.plane.webhooks import Guarded, Webhook, guard
from tests.plane.world import API, API_PATCHED, NOT_TRACKED


@pytest.fixture(scope="module")
def sparing(plane: Plane, helm: Helm, world: Path) -> Iterator[Guarded]:
    webhook = Chart(helm).render().webhooks["enforce"]
    rules = [rule | {"operations": ["CREATE", "UPDATE", "DELETE"]} for rule in webhook["rules"]]
    with guard(plane, "sparing", world, matchConditions=webhook["matchConditions"], rules=rules) as guarded:
        yield guarded


@pytest.fixture
def webhook(sparing: Guarded) -> Webhook:
    return sparing.webhook


@pytest.fixture
def name(webhook: Webhook) -> str:
    manifest = pod(NOT_TRACKED)
    assert webhook.enforce.create(manifest).is_admitted
    return name_of(manifest)


def count_reviews(gate: Gate) -> float:
    lines = gate.ask_ops("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("patchgate_reviews_total{"))


def test_a_label_and_a_status_of_a_pod_are_not_sent(sparing: Guarded, webhook: Webhook, name: str) -> None:
    before = count_reviews(sparing.gate)
    webhook.enforce.do("label", "pod", name, "team=shop")
    assert webhook.enforce.patch(f"pod/{name}", {"status": {"message": "x"}}, "--subresource=status").is_admitted
    assert count_reviews(sparing.gate) == before


def test_a_status_of_a_deployment_is_not_sent(sparing: Guarded, webhook: Webhook) -> None:
    manifest = deployment(NOT_TRACKED)
    manifest["spec"]["paused"] = True  # so that no controller writes anything else
    before = count_reviews(sparing.gate)
    assert webhook.enforce.create(manifest).is_admitted
    what = f"deployment/{name_of(manifest)}"
    assert webhook.enforce.patch(what, {"status": {"collisionCount": 1}}, "--subresource=status").is_admitted
    assert webhook.enforce.get(what)["status"]["collisionCount"] == 1
    assert count_reviews(sparing.gate) == before + 1


def test_the_end_of_what_is_deleted_is_not_sent_whatever_else_it_changes(sparing: Guarded, webhook: Webhook) -> None:
    manifest = pod(NOT_TRACKED)
    manifest["metadata"]["finalizers"] = ["example.com/wait"]
    assert webhook.enforce.create(manifest).is_admitted
    name = name_of(manifest)
    webhook.enforce.do("delete", "pod", name, "--wait=false")
    before = count_reviews(sparing.gate)
    change = {"metadata": {"finalizers": None}, "spec": {"containers": [{"name": "main", "image": API}]}}
    assert webhook.enforce.patch(f"pod/{name}", change).is_admitted
    assert count_reviews(sparing.gate) == before
    assert "NotFound" in webhook.enforce.ask("get", "pod", name).errors


def test_a_deletion_has_no_object_which_is_no_error(sparing: Guarded, webhook: Webhook, name: str) -> None:
    before = count_reviews(sparing.gate)
    webhook.enforce.do("delete", "pod", name, "--grace-period=0", "--force")
    assert count_reviews(sparing.gate) > before  # kube-apiserver asks at each step of a deletion


def test_what_is_made_is_sent(sparing: Guarded, webhook: Webhook) -> None:
    before = count_reviews(sparing.gate)
    assert webhook.enforce.create(pod(API)).refusal[0] == "PatchAvailable"
    assert webhook.enforce.create(deployment(API)).refusal[0] == "PatchAvailable"
    assert webhook.enforce.create(cron_job(API)).refusal[0] == "PatchAvailable"
    assert count_reviews(sparing.gate) == before + 3


def test_a_new_image_is_sent(sparing: Guarded, webhook: Webhook, name: str) -> None:
    before = count_reviews(sparing.gate)
    change = {"spec": {"containers": [{"name": "main", "image": API}]}}
    assert webhook.enforce.patch(f"pod/{name}", change).refusal[0] == "PatchAvailable"
    assert webhook.enforce.ask("debug", name, f"--image={API}", "--attach=false").refusal[0] == "PatchAvailable"
    assert webhook.enforce.ask("debug", name, f"--image={API_PATCHED}", "--attach=false").is_admitted
    assert count_reviews(sparing.gate) == before + 3
