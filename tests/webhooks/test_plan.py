"""Which webhooks a configuration must hold."""

from typing import Any

import pytest

from patchgate.webhooks.plan import plan_webhooks

CA, OTHER_CA = "Q0E=", "T1RIRVI="


def webhook(name: str = "enforce", bundle: str | None = None, **fields: object) -> dict[str, Any]:
    service = {"service": {"name": "patchgate", "path": f"/validate/{name}"}}
    client = service | ({"caBundle": bundle} if bundle else {})
    return {"name": name, "clientConfig": client, "rules": [{"resources": ["pods"]}], **fields}


def as_kept(wanted: dict[str, Any], bundle: str) -> dict[str, Any]:
    """What kube-apiserver makes of a webhook: with a caBundle, and its defaults."""
    defaults = {"matchPolicy": "Equivalent", "timeoutSeconds": 10, "objectSelector": {}}
    rules = [{"scope": "*", **rule} for rule in wanted["rules"]]
    return {**defaults, **wanted, "rules": rules, "clientConfig": {**wanted["clientConfig"], "caBundle": bundle}}


def test_the_first_ones_trust_the_ca_that_is_given() -> None:
    assert plan_webhooks([], [webhook("a"), webhook("b")], CA) == [webhook("a", CA), webhook("b", CA)]


def test_without_a_ca_callers_are_left_to_know_it() -> None:
    assert plan_webhooks([], [webhook()], "") == [webhook()]


def test_what_kube_apiserver_added_is_no_difference() -> None:
    wanted = [webhook("a"), webhook("b")]
    assert plan_webhooks([as_kept(each, CA) for each in wanted], wanted, "") is None


def test_what_somebody_changed_is_put_back_and_the_ca_bundle_stays() -> None:
    live = [as_kept(webhook(failurePolicy="Ignore"), CA)]
    assert plan_webhooks(live, [webhook(failurePolicy="Fail")], OTHER_CA) == [webhook(bundle=CA, failurePolicy="Fail")]


def test_a_new_one_trusts_whom_its_neighbours_trust() -> None:
    live = [as_kept(webhook("a"), CA)]
    wanted = [webhook("a"), webhook("b")]
    assert plan_webhooks(live, wanted, OTHER_CA) == [webhook("a", CA), webhook("b", CA)]


def test_each_keeps_its_own_ca_bundle() -> None:
    live = [as_kept(webhook("a"), CA), as_kept(webhook("b"), OTHER_CA)]
    wanted = [webhook("b"), webhook("a")]
    assert plan_webhooks(live, wanted, "") == [webhook("b", OTHER_CA), webhook("a", CA)]


def test_one_that_is_not_wanted_goes() -> None:
    live = [as_kept(webhook("a"), CA), as_kept(webhook("b"), CA)]
    assert plan_webhooks(live, [webhook("a")], "") == [webhook("a", CA)]


def test_a_rule_more_or_less_is_a_difference() -> None:
    live = as_kept(webhook(), CA)
    live["rules"] = [{"resources": ["pods", "configmaps"]}]
    assert plan_webhooks([live], [webhook()], "") == [webhook(bundle=CA)]


@pytest.mark.parametrize(
    "added",
    [
        {"objectSelector": {"matchLabels": {"watched": "yes"}}},
        {"namespaceSelector": {"matchLabels": {"watched": "yes"}}},
        {"matchConditions": [{"name": "nobody", "expression": "false"}]},
    ],
)
def test_what_was_added_to_ask_about_fewer_is_taken_away(added: dict[str, object]) -> None:
    live = [webhook(bundle=CA) | added]
    assert plan_webhooks(live, [webhook()], "") == [webhook(bundle=CA)]
