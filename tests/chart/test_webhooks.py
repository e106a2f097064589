"""The webhooks that the gate is given to put in force."""

import hashlib
import re

import pytest

from patchgate.configmaps.webhooks import read_webhooks
from patchgate.webhooks.bounds import Bounds
from tests.chart.rendering import Chart, Object

NEVER = {"copa-system", "copa-buildkit", "kube-system", "kube-public", "kube-node-lease"}


def expressions(webhook: Object) -> dict[str, Object]:
    return {each["key"]: each for each in webhook["namespaceSelector"]["matchExpressions"]}


def matches(webhook: Object, labels: dict[str, str]) -> bool:
    """Tell whether a namespace with these labels is matched (meta/v1, LabelSelector)."""
    return all(
        (labels.get(each["key"]) in each["values"]) == (each["operator"] == "In")
        for each in webhook["namespaceSelector"]["matchExpressions"]
    )


def test_there_is_one_a_mode_that_asks_the_mode_s_path(chart: Chart) -> None:
    webhooks = chart.render().webhooks
    assert {mode: each["clientConfig"]["service"] for mode, each in webhooks.items()} == {
        mode: {"name": "patchgate", "namespace": "copa-system", "port": 443, "path": f"/validate/{mode}"}
        for mode in ("enforce", "warn", "audit")
    }


@pytest.mark.parametrize(
    ("default", "unlabelled"), [("enforce", ["enforce"]), ("warn", ["warn"]), ("audit", ["audit"]), ("off", [])]
)
@pytest.mark.parametrize("label", [None, "enforce", "warn", "audit", "no-such-mode"])
def test_a_namespace_is_matched_by_the_webhook_of_its_mode_alone(
    chart: Chart, default: str, unlabelled: list[str], label: str | None
) -> None:
    labels = {"kubernetes.io/metadata.name": "shop"} | ({"patchgate.io/mode": label} if label else {})
    webhooks = chart.render({"webhook": {"defaultMode": default}}).webhooks
    matching = [mode for mode, each in webhooks.items() if matches(each, labels)]
    assert matching == ([label] if label in {"enforce", "warn", "audit"} else unlabelled)


@pytest.mark.parametrize("label", [None, "enforce", "warn", "audit"])
def test_our_own_namespaces_and_the_cluster_s_are_never_matched_whatever_their_label(
    chart: Chart, label: str | None
) -> None:
    webhooks = chart.render({"webhook": {"excludedNamespaces": ["cni"]}}).webhooks.values()
    for name in NEVER | {"cni"}:
        labels = {"kubernetes.io/metadata.name": name} | ({"patchgate.io/mode": label} if label else {})
        assert not [each["name"] for each in webhooks if matches(each, labels)], name


def test_no_other_namespace_is_left_out_unless_the_installer_names_it(chart: Chart) -> None:
    for webhook in chart.render().webhooks.values():
        assert set(expressions(webhook)["kubernetes.io/metadata.name"]["values"]) == NEVER


@pytest.mark.parametrize(
    "values", [{"buildkit": {"mode": "external", "address": "tcp://b:1"}}, {"patcher": {"enabled": False}}]
)
def test_buildkit_s_namespace_is_matched_where_it_is_none_of_ours(chart: Chart, values: Object) -> None:
    rendering = chart.render(values)
    names = expressions(rendering.webhooks["enforce"])["kubernetes.io/metadata.name"]["values"]
    assert set(names) == NEVER - {"copa-buildkit"}


@pytest.mark.parametrize(
    ("named", "whom"),
    [
        ({"groups": ['platform\'s "own"', "sre"], "users": ["flux"]}, 'platform\'s "own", sre'),
        ({"groups": [], "users": ["flux"]}, "flux"),
    ],
)
def test_who_is_refused_the_mode_label_is_told_who_sets_it_however_they_are_spelt(
    chart: Chart, named: Object, whom: str
) -> None:
    rendering = chart.render({"webhook": {"modeLabel": {"protected": True, **named}}})
    (validation,) = rendering.find("ValidatingAdmissionPolicy", "patchgate-mode-label")["spec"]["validations"]
    assert validation["message"] == f"the label patchgate.io/mode is set by {whom} alone"


def test_at_first_nothing_that_happens_to_the_gate_stops_anybody(chart: Chart) -> None:
    assert {each["failurePolicy"] for each in chart.render().webhooks.values()} == {"Ignore"}


def test_fail_is_for_enforcing_alone(chart: Chart) -> None:
    webhooks = chart.render({"webhook": {"failurePolicy": "Fail"}}).webhooks
    assert {mode: each["failurePolicy"] for mode, each in webhooks.items()} == {
        "enforce": "Fail",
        "warn": "Ignore",
        "audit": "Ignore",
    }


def test_each_has_what_kubernetes_asks_of_a_webhook_without_effects(chart: Chart) -> None:
    for webhook in chart.render().webhooks.values():
        assert webhook["sideEffects"] == "None"
        assert webhook["matchPolicy"] == "Equivalent"
        assert webhook["admissionReviewVersions"] == ["v1"]
        assert webhook["timeoutSeconds"] == 3
        assert {rule["scope"] for rule in webhook["rules"]} == {"Namespaced"}


def test_no_rule_has_a_wildcard_that_would_catch_leases_bindings_or_evictions(chart: Chart) -> None:
    for webhook in chart.render().webhooks.values():
        said = [word for rule in webhook["rules"] for key in rule if key != "scope" for word in rule[key]]
        assert not [word for word in said if "*" in word]


def test_the_configuration_itself_holds_none_so_that_helm_never_arms_nor_disarms_it(chart: Chart) -> None:
    assert "webhooks" not in chart.render().find("ValidatingWebhookConfiguration", "patchgate")


def test_uninstalling_takes_the_configuration_away_before_anything_else(chart: Chart) -> None:
    (hook,) = [each for each in chart.render().hooks if each["kind"] == "ValidatingWebhookConfiguration"]
    assert hook["metadata"]["name"] == "patchgate"
    annotations = hook["metadata"]["annotations"]
    assert annotations["helm.sh/hook"] == "pre-delete"
    assert annotations["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"


def test_no_condition_loops_as_its_cost_would_grow_with_the_pod(chart: Chart) -> None:
    conditions = chart.render().webhooks["enforce"]["matchConditions"]
    assert [each["name"] for each in conditions] == ["not-deleting", "changes-containers"]
    for each in conditions:
        assert not re.search(r"\.(map|filter|all|exists|exists_one)\(| in ", each["expression"])


def test_the_gate_applies_the_webhooks_of_the_chart_and_no_others(chart: Chart) -> None:
    rendering = chart.render({"webhook": {"excludedNamespaces": ["cni"]}})
    text = rendering.find("ConfigMap", "patchgate-webhooks")["data"]["webhooks.yaml"]
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert f"--webhooks-sha256={digest}" in rendering.container("patchgate", "gate")["args"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"fullnameOverride": "gate", "gate": {"servicePort": 8443}},
        *({"webhook": {"defaultMode": mode}} for mode in ("warn", "audit", "off")),
        {"webhook": {"failurePolicy": "Fail", "timeoutSeconds": 30, "excludedNamespaces": ["cni"]}},
        {"webhook": {"matchConditions": [{"name": "not-a-dry-run", "expression": "request.dryRun != true"}]}},
    ],
)
def test_the_gate_takes_the_webhooks_whatever_the_values(chart: Chart, values: Object) -> None:
    name = values.get("fullnameOverride", "patchgate")
    text = chart.render(values).find("ConfigMap", f"{name}-webhooks")["data"]["webhooks.yaml"]
    webhooks = read_webhooks({"webhooks.yaml": text})
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert Bounds(name, "copa-system", digest).find_fault(text, webhooks) == ""
