"""The example's Constraints on the real Gatekeeper, the gate behind them: what people get."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Gate
from tests.gatekeeper.controller import Gatekeeper
from tests.gatekeeper.policies import put_in_force
from tests.plane import manifests
from tests.plane.control_plane import wait_until
from tests.plane.kubectl import Kubectl, Said
from tests.plane.manifests import name_of, pod
from tests.plane.world import (
    API,
    API_PATCHED,
    API_USE,
    BASE,
    END_OF_LIFE,
    EXCEPTED,
    FRONTEND,
    NEW,
    NOT_TRACKED,
    PINNED,
    ROLLED_OUT,
    STALE,
    UNLISTED,
    WORKER,
)

SCALER = "system:serviceaccount:kube-system:replicaset-controller"
PATCHED = f"{API}: a patched image is available; use {API_USE}"
pytestmark = pytest.mark.usefixtures("gatekeeper")


def refusals(said: Said) -> list[str]:
    """The messages of Gatekeeper's refusal."""
    reason, message = said.refusal
    assert reason == "Forbidden"
    return [line.removeprefix("[patchgate-denials-shop] ") for line in message.splitlines()]


def test_a_denied_pod_is_refused_with_the_gates_message(shop: Kubectl) -> None:
    assert refusals(shop.create(pod(API))) == [PATCHED]


@pytest.mark.parametrize("image", [API_PATCHED, API_USE, NOT_TRACKED, WORKER, END_OF_LIFE, NEW, EXCEPTED])
def test_what_may_run_is_admitted(shop: Kubectl, image: str) -> None:
    said = shop.create(pod(image))
    assert said.is_admitted, said.errors


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("no@@reference", "not an image reference"),
        (PINNED, "must be named by digest"),
        (STALE, "its approval is stale"),
        (BASE, "a node may hold an older copy of this tag"),
        (UNLISTED, "not listed, though its repository is tracked"),
        (f"registry.example.com:443/{API.partition('/')[2]}", "a patched image is available"),
    ],
)
def test_each_row_that_denies_refuses(shop: Kubectl, image: str, text: str) -> None:
    (message,) = refusals(shop.create(pod(image)))
    assert text in message


def test_a_pull_policy_counts(shop: Kubectl) -> None:
    container = {"name": "main", "image": BASE, "imagePullPolicy": "Always"}
    assert shop.create(pod(BASE, containers=[container])).is_admitted


def test_what_the_gate_warns_about_is_a_warning(shop: Kubectl) -> None:
    wait_until(lambda: shop.create(pod(WORKER), "--dry-run=server").warnings, "the constraint of warnings in force", 60)
    (warning,) = shop.create(pod(WORKER)).warnings
    assert warning.startswith(f"[patchgate-warnings-shop] {WORKER}: not approved yet; it will be refused in ")
    assert shop.create(pod(API_USE)).warnings == ()


def test_an_exception_of_the_namespace_counts(shop: Kubectl) -> None:
    assert shop.create(pod(FRONTEND)).is_admitted


@pytest.mark.parametrize(
    "spec",
    [
        {"initContainers": [{"name": "first", "image": API}]},
        {"volumes": [{"name": "files", "image": {"reference": API}}]},
    ],
    ids=["init container", "image volume"],
)
def test_every_place_of_an_image_is_looked_at(shop: Kubectl, spec: dict[str, Any]) -> None:
    assert refusals(shop.create(pod(NOT_TRACKED, **spec))) == [PATCHED]


def test_every_denied_image_is_said_once(shop: Kubectl) -> None:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate([API, UNLISTED, API])]
    messages = refusals(shop.create(pod(API, containers=containers)))
    assert sorted(message.partition(": ")[0] for message in messages) == sorted([API, UNLISTED])


@pytest.mark.parametrize(
    "make",
    [
        manifests.deployment,
        manifests.replica_set,
        manifests.stateful_set,
        manifests.daemon_set,
        manifests.replication_controller,
        manifests.job,
        manifests.cron_job,
    ],
)
def test_templates_are_looked_at(shop: Kubectl, make: Callable[[str], dict[str, Any]]) -> None:
    assert refusals(shop.create(make(API))) == [PATCHED]


def test_ephemeral_containers_are_looked_at(shop: Kubectl) -> None:
    running = pod(NOT_TRACKED)
    assert shop.create(running).is_admitted
    change = {"spec": {"ephemeralContainers": [{"name": "debug", "image": API}]}}
    said = shop.patch(f"pod/{name_of(running)}", change, "--subresource=ephemeralcontainers")
    assert refusals(said) == [PATCHED]


@pytest.mark.usefixtures("shop")
def test_an_update_is_judged_by_what_it_adds(gatekeeper: Gatekeeper) -> None:
    elsewhere = gatekeeper.plane.make_namespace("before")
    workload = manifests.deployment(API)
    assert elsewhere.create(workload).is_admitted  # nothing guards it yet
    constraint = gatekeeper.plane.kubectl.get("patchgateimages", "patchgate-denials-shop")
    match = {**constraint["spec"]["match"], "namespaces": ["before"]}
    spec = {**constraint["spec"], "match": match}
    gatekeeper.apply({**constraint, "metadata": {"name": "patchgate-denials-before"}, "spec": spec})
    wait_until(lambda: not elsewhere.create(pod(API), "--dry-run=server").is_admitted, "a constraint in force", 60)
    name = f"deployment/{name_of(workload)}"
    assert elsewhere.patch(name, {"metadata": {"labels": {"a": "b"}}}).is_admitted
    assert elsewhere.do("scale", name, "--replicas=2").is_admitted
    containers = [{"name": "main", "image": UNLISTED}]
    said = elsewhere.patch(name, {"spec": {"template": {"spec": {"containers": containers}}}})
    assert UNLISTED in said.refusal[1]


def test_of_namespaces_in_mode_audit_nothing_is_refused(gatekeeper: Gatekeeper, gate: Gate) -> None:
    audited = put_in_force(gatekeeper, "audited", gatekeeper.plane.credentials.ca.read_bytes(), gate.port)
    assert not audited.create(pod(API)).is_admitted
    gatekeeper.plane.kubectl.do("label", "namespace", "audited", "patchgate.io/mode=audit")
    wait_until(lambda: audited.create(pod(API), "--dry-run=server").is_admitted, "audit", 60)


def test_a_controller_has_its_grace_after_a_patch_and_nobody_else(shop: Kubectl) -> None:
    by_controller = shop.create(pod(ROLLED_OUT), f"--as={SCALER}")
    assert by_controller.is_admitted, by_controller.errors
    (message,) = refusals(shop.create(pod(ROLLED_OUT)))
    assert "a patched image is available" in message
