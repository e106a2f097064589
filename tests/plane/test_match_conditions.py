"""matchConditions that spare the gate what it would allow unseen, written so that a missing field is no error.

Under failurePolicy Fail an expression that fails refuses the request without a call, so each must be null-safe: a
request for the object itself has no `subResource`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Gate
from tests.plane.control_plane import Plane
from tests.plane.manifests import cron_job, deployment, name_of, pod
from tests.plane.webhooks import Guarded, Webhook, guard
from tests.plane.world import API, API_PATCHED, NOT_TRACKED

IMAGES = " + ".join(
    f"{{0}}.spec.?{place}.orValue([]).map(each, each.?image.orValue(''))"
    for place in ("containers", "initContainers", "ephemeralContainers")
)
CONDITIONS = [
    {"name": "not-status", "expression": "!has(request.subResource) || request.subResource != 'status'"},
    {"name": "not-deleting", "expression": "object == null || !has(object.metadata.deletionTimestamp)"},
    {
        "name": "adds-an-image",
        "expression": "request.operation != 'UPDATE' || request.kind.kind != 'Pod' || !has(object.spec)"
        f" || !has(oldObject.spec) || !({IMAGES.format('object')}).all(image, image in ({IMAGES.format('oldObject')}))",
    },
]


@pytest.fixture(scope="module")
def sparing(plane: Plane, world: Path) -> Iterator[Guarded]:
    with guard(plane, "sparing", world, matchConditions=CONDITIONS) as guarded:
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


def test_a_label_a_status_and_a_deletion_are_not_sent(sparing: Guarded, webhook: Webhook, name: str) -> None:
    before = count_reviews(sparing.gate)
    webhook.enforce.do("label", "pod", name, "team=shop")
    assert webhook.enforce.patch(f"pod/{name}", {"status": {"message": "x"}}, "--subresource=status").is_admitted
    webhook.enforce.do("delete", "pod", name, "--grace-period=0", "--force")
    assert count_reviews(sparing.gate) == before


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
