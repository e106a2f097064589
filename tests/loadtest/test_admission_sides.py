"""Each side is asked about the Pods of its own namespace, and about no others."""

from typing import Any

import pytest

from loadtest.admission.plan import AGAIN, FULL, GATE, KYVERNO, MAIN, NONE, SIDES, STATIC, WRITTEN
from loadtest.admission.pods import IMAGES, UNPATCHED
from loadtest.admission.sides import LABEL, make_kyverno_values, make_webhook
from loadtest.peers.kyverno_lists import make_lists
from loadtest.peers.kyverno_policy import CLUSTER_POLICY
from loadtest.worlds import pin_approved

OF_THE_CHART = {
    "name": "enforce.patchgate.io",
    "clientConfig": {"service": {"name": "patchgate", "namespace": "copa-system", "path": "/validate/enforce"}},
    "namespaceSelector": {"matchExpressions": [{"key": "patchgate.io/mode", "operator": "DoesNotExist"}]},
    "matchConditions": [{"name": "any", "expression": "true"}],
    "failurePolicy": "Ignore",
}


@pytest.mark.parametrize("side", [GATE, STATIC])
def test_a_webhook_is_the_charts_for_one_namespace(side: str) -> None:
    webhook = make_webhook(side, 8443, b"CA", OF_THE_CHART)["webhooks"][0]
    assert SIDES[side].webhook in webhook["name"]
    assert webhook["namespaceSelector"] == {
        **OF_THE_CHART["namespaceSelector"],  # type: ignore[dict-item]
        "matchLabels": {LABEL: SIDES[side].namespace},
    }
    assert (webhook["matchConditions"], webhook["failurePolicy"]) == (OF_THE_CHART["matchConditions"], "Fail")
    service = webhook["clientConfig"]["service"]
    assert (service["port"], service["path"]) == (8443, "/validate/enforce")


def test_static_bytes_are_asked_as_the_gate_is() -> None:
    def list_common(side: str) -> dict[str, Any]:
        webhook = make_webhook(side, 8443, b"CA", OF_THE_CHART)["webhooks"][0]
        return {key: webhook[key] for key in webhook.keys() - {"name", "clientConfig", "namespaceSelector"}}

    assert list_common(GATE) == list_common(STATIC)


def test_kyverno_is_asked_about_no_other_side() -> None:
    values: Any = make_kyverno_values()
    (expression,) = values["config"]["webhooks"]["namespaceSelector"]["matchExpressions"]
    assert (expression["key"], expression["operator"]) == (LABEL, "NotIn")
    assert set(expression["values"]) == {SIDES[side].namespace for side in (NONE, STATIC, AGAIN, GATE)}
    assert SIDES[KYVERNO].namespace not in expression["values"]


def test_kyverno_reads_the_config_maps_that_are_there_from_its_cache() -> None:
    (policy,) = CLUSTER_POLICY.read_objects()
    (rule,) = policy["spec"]["rules"]
    lists = {each["metadata"]["name"]: each for each in make_lists(IMAGES, pin_approved)}
    assert {each["configMap"]["name"] for each in rule["context"]} == set(lists)
    assert all(each["metadata"]["labels"] == {"cache.kyverno.io/enabled": "true"} for each in lists.values())
    assert rule["validate"]["failureAction"] == "Enforce"


def test_the_config_maps_have_whole_lines() -> None:
    listed, approved = (each["data"]["images.txt"] for each in make_lists(IMAGES, pin_approved))
    assert f"\n{UNPATCHED}\n" in listed
    assert f"\n{pin_approved(IMAGES - 2)}\n" in approved
    assert len(listed.split()) == IMAGES


def test_the_bars_have_rounds_enough() -> None:
    assert {block.clients: block.rounds for block in FULL.main if block.clients in {16, 50}} == {16: 7, 50: 7}
    assert set(WRITTEN) < set(MAIN)
    assert not any(block.is_dry for block in FULL.written)
