"""S16: an UPDATE makes a node run another copy of the same tag, unseen as the image's text stays the same."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Gate, GateRunner, write_configmaps
from tests.world import clean, digest, hours_ago, image_list, record, records

REDIS = "registry.example.com/shared/redis:7"
BREACHED = "registry.example.com/shop/frontend:3.0.1"
WORLD = (
    image_list(REDIS, BREACHED),
    records(
        {
            REDIS: clean(REDIS, earlier_sources=[digest("vulnerable redis")]),
            BREACHED: record(source_digest=digest("frontend"), first_vulnerable=hours_ago(72)),
        }
    ),
)
CASE = Path(__file__).parents[1] / "cases/reviews/17-pull-policy-loosened.json"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[Gate]:
    with self_signed(write_configmaps(tmp_path_factory.mktemp("world"), *WORLD)) as running:
        yield running


def deployment(**pod: object) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "busybox:1"}]} | pod}},
    }


def update(gate: Gate, old: dict[str, object], new: dict[str, object]) -> dict[str, Any]:
    request = {"uid": "1", "operation": "UPDATE", "namespace": "shop", "object": new, "oldObject": old}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    response: dict[str, Any] = gate.review(review).json["response"]
    return response


def pull(policy: str, place: str) -> dict[str, object]:
    """A Deployment whose image is in the place, with the pull policy."""
    container = {"name": "main", "image": REDIS, "imagePullPolicy": policy}
    volume = {"name": "v", "image": {"reference": REDIS, "pullPolicy": policy}}
    return deployment(**{place: [volume if place == "volumes" else container]})


def test_the_case_is_refused(gate: Gate) -> None:
    response = gate.review(json.loads(CASE.read_text(encoding="utf-8"))["review"]).json["response"]
    assert (response["allowed"], response["status"]["reason"]) == (False, "CachedCopy")


@pytest.mark.parametrize("place", ["containers", "initContainers", "volumes"])
@pytest.mark.parametrize("policy", ["IfNotPresent", "Never"])
def test_a_pull_policy_that_is_loosened_is_judged_in_every_place(gate: Gate, place: str, policy: str) -> None:
    response = update(gate, pull("Always", place), pull(policy, place))
    assert (response["allowed"], response["status"]["reason"]) == (False, "CachedCopy")
    assert update(gate, pull(policy, place), pull("Always", place)) == {"uid": "1", "allowed": True}
    assert update(gate, pull("Always", place), pull("Always", place)) == {"uid": "1", "allowed": True}


def test_another_spelling_hides_no_loosened_pull_policy(gate: Gate) -> None:
    old = deployment(containers=[{"name": "main", "image": REDIS, "imagePullPolicy": "Always"}])
    new = deployment(containers=[{"name": "main", "image": REDIS.replace("registry", "Registry")}])
    assert update(gate, old, new)["status"]["reason"] == "CachedCopy"


def test_an_older_digest_in_the_place_of_the_tag_is_judged(gate: Gate) -> None:
    repository = REDIS.rpartition(":")[0]
    old = deployment(containers=[{"name": "main", "image": REDIS, "imagePullPolicy": "Always"}])
    new = deployment(containers=[{"name": "main", "image": f"{repository}@{digest('vulnerable redis')}"}])
    assert update(gate, old, new)["status"]["reason"] == "PatchAvailable"


@pytest.mark.parametrize(
    "spelling",
    [
        BREACHED.replace("registry", "REGISTRY"),
        BREACHED.replace(".com/", ".com:443/"),
        f"{BREACHED}@{digest('frontend')}",
    ],
)
def test_the_same_image_in_another_spelling_is_not_added(gate: Gate, spelling: str) -> None:
    old, new = (deployment(containers=[{"name": "main", "image": image}]) for image in (BREACHED, spelling))
    response = update(gate, old, new)
    assert response["allowed"] is True
    assert response["warnings"][0].startswith("the next Pods of this template will be refused")
    assert response["auditAnnotations"]["keeps"].endswith("SlaBreached")
