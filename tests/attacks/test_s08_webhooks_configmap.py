"""S8: whatever somebody writes into the ConfigMap of webhooks, kube-apiserver goes on asking the gate as before."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from patchgate.gate.arming import UPGRADE_SECONDS
from tests.chart.helm import Helm
from tests.conftest import Gate
from tests.plane.control_plane import WAIT_SECONDS, Plane, wait_until
from tests.plane.installed import Installation, prepare
from tests.plane.manifests import pod
from tests.plane.world import API, WORLD

NAME = "tampered"
Webhook = dict[str, Any]


@pytest.fixture(scope="module")
def release(
    plane: Plane,
    helm: Helm,
    tmp_path_factory: pytest.TempPathFactory,
) -> Installation:
    release = prepare(plane, helm, NAME)
    release.do("install", {"webhook": {"failurePolicy": "Fail"}})
    release.fill(tmp_path_factory.mktemp("data"), *WORLD)
    plane.make_namespace("tampered-shop")
    return release


@pytest.fixture(scope="module")
def gate(release: Installation) -> Iterator[Gate]:
    """A gate as the chart runs it, whose webhooks are in force."""
    with release.run_gate() as running:
        running.wait_until(lambda: running.metric("patchgate_armed") == 1)
        yield running


def read_webhooks(release: Installation) -> list[Webhook]:
    text = release.system.get("configmap", f"{NAME}-webhooks")["data"]["webhooks.yaml"]
    webhooks: list[Webhook] = yaml.safe_load(text)
    return webhooks


def write_text(release: Installation, text: str) -> None:
    change = {"data": {"webhooks.yaml": text}}
    assert release.system.patch(f"configmap/{NAME}-webhooks", change, kind="merge").is_admitted


@pytest.fixture
def original(release: Installation) -> Iterator[str]:
    text = release.system.get("configmap", f"{NAME}-webhooks")["data"]["webhooks.yaml"]
    yield text
    write_text(release, text)


def ask_elsewhere(webhook: Webhook) -> None:
    webhook["clientConfig"] = {"url": "https://evil.example.com/"}


def ask_another_service(webhook: Webhook) -> None:
    webhook["clientConfig"]["service"]["namespace"] = "tampered-shop"


def ask_about_secrets(webhook: Webhook) -> None:
    webhook["rules"][0]["resources"].append("secrets")


def ask_about_no_pods(webhook: Webhook) -> None:
    webhook["rules"] = webhook["rules"][1:]


def ask_about_nothing(webhook: Webhook) -> None:
    webhook["matchConditions"].append({"name": "nobody", "expression": "false"})


def leave_out_a_namespace(webhook: Webhook) -> None:
    webhook["namespaceSelector"]["matchExpressions"][0]["values"].append("tampered-shop")


def only_audit(webhook: Webhook) -> None:
    webhook["clientConfig"]["service"]["path"] = "/validate/audit"


@pytest.mark.parametrize(
    "tamper",
    [
        ask_elsewhere,
        ask_another_service,
        ask_about_secrets,
        ask_about_no_pods,
        ask_about_nothing,
        leave_out_a_namespace,
        only_audit,
    ],
)
def test_a_changed_configmap_is_not_applied_and_reported(
    release: Installation, gate: Gate, original: str, tamper: Callable[[Webhook], None]
) -> None:
    before = release.webhooks
    webhooks = read_webhooks(release)
    tamper(webhooks[0])
    write_text(release, json.dumps(webhooks))
    gate.wait_until(lambda: gate.metric("patchgate_webhooks_refused") == 1)
    assert f"problem: {NAME}-webhooks: not applied: " in gate.ask("GET", "/readyz?verbose").text
    assert release.webhooks == before
    assert gate.metric("patchgate_armed") == 1
    assert "a patched image is available" in release.system.inside("tampered-shop").create(pod(API)).errors
    write_text(release, original)
    gate.wait_until(lambda: gate.metric("patchgate_webhooks_refused") == 0)


def test_an_event_on_the_configmap_says_so(release: Installation, gate: Gate, original: str) -> None:
    assert original
    write_text(release, "- name: enforce.patchgate.io\n  clientConfig: {url: 'https://evil.example.com/'}\n")
    gate.wait_until(lambda: gate.metric("patchgate_webhooks_refused") == 1)
    chosen = ("--field-selector", f"involvedObject.name={NAME}-webhooks,reason=WebhooksRefused")
    wait_until(lambda: release.system.get("events", *chosen)["items"], "the Event", UPGRADE_SECONDS + WAIT_SECONDS)
    event = release.system.get("events", *chosen)["items"][0]
    assert event["involvedObject"]["uid"] == release.system.get("configmap", f"{NAME}-webhooks")["metadata"]["uid"]
    assert "not applied" in gate.ask("GET", "/readyz?verbose").text
