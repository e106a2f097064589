"""S8: what the ConfigMap of webhooks may say. Anyone who may write ConfigMaps there must not gain more by it."""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from patchgate.webhooks.bounds import Bounds
from tests.webhooks.own import NAMESPACE, SERVICE, own_webhooks

Webhook = dict[str, Any]
BOUNDS = Bounds(SERVICE, NAMESPACE)


def find_fault(change: Callable[[Webhook], object]) -> str:
    """Change the enforcing webhook, and say what is found wrong."""
    webhooks = own_webhooks()
    change(webhooks[0])
    return BOUNDS.find_fault("", webhooks)


def test_its_own_webhooks_are_taken() -> None:
    assert BOUNDS.find_fault("", own_webhooks()) == ""


@pytest.mark.parametrize("fields", [{"failurePolicy": "Fail"}, {"timeoutSeconds": 30}, {"matchPolicy": "Equivalent"}])
def test_what_the_chart_s_values_set_is_taken(fields: Webhook) -> None:
    assert find_fault(lambda webhook: webhook.update(fields)) == ""


@pytest.mark.parametrize(
    ("client", "said"),
    [
        ({"url": "https://evil.example.com/"}, "clientConfig.url: only the gate's own Service may be asked"),
        ({"service": {"name": "evil"}}, "must be the gate's own, patchgate in copa-system, not evil in copa-system"),
        ({"service": {"namespace": "shop"}}, "must be the gate's own, patchgate in copa-system, not patchgate in shop"),
        ({"service": {"path": "/validate/audit"}}, "clientConfig.service.path must be /validate/enforce"),
        ({"service": {"path": "/livez"}}, "clientConfig.service.path must be /validate/enforce"),
        ({"service": {"port": "443"}}, "clientConfig.service.port: must be a number"),
        ({"caBundle": "Q0E="}, "clientConfig.caBundle: is not allowed here"),
    ],
)
def test_only_our_own_service_is_asked_at_the_path_of_the_mode(client: Webhook, said: str) -> None:
    def change(webhook: Webhook) -> None:
        service = webhook["clientConfig"]["service"] | client.get("service", {})
        webhook["clientConfig"] = client | {"service": service}

    assert said in find_fault(change)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"resources": ["secrets"]}, "rules must not ask about CREATE of secrets in the core group"),
        ({"resources": ["*"]}, "rules must not ask about CREATE of * in the core group"),
        ({"resources": ["pods/*"]}, "rules must not ask about CREATE of pods/* in the core group"),
        ({"resources": ["pods/exec"]}, "rules must not ask about CREATE of pods/exec in the core group"),
        ({"apiGroups": ["*"]}, "rules.0.apiGroups.0: "),
        ({"apiVersions": ["v2"]}, "rules.0.apiVersions.0: "),
        ({"operations": ["CREATE", "CONNECT"]}, "rules.0.operations.1: "),
        ({"operations": ["CREATE"]}, "rules must ask about UPDATE of pods in the core group"),
        ({"resources": ["pods"]}, "rules must ask about CREATE of pods/ephemeralcontainers in the core group"),
        ({"scope": "Cluster"}, "rules.0.scope: "),
    ],
)
def test_only_what_is_judged_is_asked_about_and_all_of_it(rule: Webhook, said: str) -> None:
    assert said in find_fault(lambda webhook: webhook["rules"][0].update(rule))


@pytest.mark.parametrize(
    "fields",
    [
        {"objectSelector": {"matchLabels": {"watched": "yes"}}},
        {"reinvocationPolicy": "Never"},
        {"matchPolicy": "Exact"},
        {"sideEffects": "Some"},
        {"admissionReviewVersions": ["v1beta1"]},
        {"failurePolicy": "Sometimes"},
        {"timeoutSeconds": 0},
        {"name": "enforce.example.com"},
        {"namespaceSelector": {"matchLabels": {"watched": "yes"}, "matchExpressions": []}},
        {"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["shop"]}]}},
        {"namespaceSelector": {"matchExpressions": [{"key": "patchgate.io/mode", "operator": "Exists", "values": []}]}},
        {"matchConditions": [{"name": f"c{number}", "expression": "true"} for number in range(65)]},
    ],
)
def test_what_would_ask_less_or_otherwise_is_refused(fields: Webhook) -> None:
    assert find_fault(lambda webhook: webhook.update(fields)).startswith(
        str(fields.get("name", "enforce.patchgate.io"))
    )


OFF = {"key": "patchgate.io/mode", "operator": "In", "values": ["enforce"]}
NOT_OTHERS = {"key": "patchgate.io/mode", "operator": "NotIn", "values": ["warn", "audit"]}


def test_a_default_mode_of_off_is_taken() -> None:
    assert find_fault(lambda webhook: webhook.update(namespaceSelector={"matchExpressions": [OFF]})) == ""


@pytest.mark.parametrize(
    ("expressions", "said"),
    [
        ([NOT_OTHERS, OFF], "must have one expression for each key"),
        ([], "must choose mode enforce"),
        ([NOT_OTHERS | {"values": ["warn"]}], "must choose mode enforce"),
        ([OFF | {"values": ["enforce", "warn"]}], "must choose mode enforce"),
    ],
)
def test_expressions_that_together_ask_less_or_twice_are_refused(expressions: list[Webhook], said: str) -> None:
    assert said in find_fault(lambda webhook: webhook.update(namespaceSelector={"matchExpressions": expressions}))


def test_two_webhooks_are_not_asked_about_the_same_namespaces() -> None:
    webhooks = own_webhooks()
    others = {"key": "patchgate.io/mode", "operator": "NotIn", "values": ["enforce", "audit"]}
    webhooks[1]["namespaceSelector"] = {"matchExpressions": [others]}
    assert "more than one webhook" in BOUNDS.find_fault("", webhooks)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ({"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["x"]}, "may only leave out namespaces"),
        ({"key": "patchgate.io/mode", "operator": "NotIn", "values": ["enforce"]}, "must choose mode enforce"),
        ({"key": "patchgate.io/mode", "operator": "In", "values": ["warn"]}, "must choose mode enforce"),
    ],
)
def test_a_selector_chooses_namespaces_by_the_mode_alone(expression: Webhook, said: str) -> None:
    selector = {"matchExpressions": [expression]}
    assert said in find_fault(lambda webhook: webhook.update(namespaceSelector=selector))


def test_a_mode_that_refuses_nothing_is_never_fail() -> None:
    webhooks = own_webhooks()
    webhooks[1]["failurePolicy"] = "Fail"
    assert (
        BOUNDS.find_fault("", webhooks) == "warn.patchgate.io: failurePolicy must be Ignore: this mode refuses nothing"
    )


@pytest.mark.parametrize("number", [0, 2, 4, 6])
def test_there_is_one_webhook_a_mode(number: int) -> None:
    webhooks = (own_webhooks() + copy.deepcopy(own_webhooks()))[:number]
    assert "there must be one webhook each of enforce.patchgate.io" in BOUNDS.find_fault("", webhooks)


def test_with_a_checksum_nothing_can_be_changed() -> None:
    webhooks = own_webhooks()
    text = json.dumps(webhooks)
    bounds = Bounds(SERVICE, NAMESPACE, hashlib.sha256(text.encode()).hexdigest())
    assert bounds.find_fault(text, webhooks) == ""
    webhooks[0]["matchConditions"] = [{"name": "nobody", "expression": "false"}]
    assert "it is not what this gate was installed with" in bounds.find_fault(json.dumps(webhooks), webhooks)
