"""Kyverno's policies that are measured: they look up what is made, and what Kyverno writes says where it is asked."""

from typing import Any

import pytest

from loadtest.peers.kyverno_lists import make_lists
from loadtest.peers.kyverno_policy import CLUSTER_POLICY, POLICIES, VALIDATING_POLICY, Policy, is_ready, list_pod_paths
from loadtest.worlds import name_approved


def configuration(*webhooks: tuple[str, list[str]]) -> dict[str, Any]:
    """A ValidatingWebhookConfiguration as Kyverno 1.19 writes it out of a cluster: URLs, and what each is asked."""
    return {
        "metadata": {"name": "kyverno-resource-validating-webhook-cfg"},
        "webhooks": [
            {
                "clientConfig": {"url": f"https://127.0.0.1:10444{path}"},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": resources}],
                "timeoutSeconds": 10,
            }
            for path, resources in webhooks
        ],
    }


def condition(kind: str, status: str) -> dict[str, str]:
    return {"type": kind, "status": status, "reason": "Succeeded", "message": ""}


@pytest.mark.parametrize(
    ("policy", "kinds"),
    [(CLUSTER_POLICY, ["ClusterPolicy"]), (VALIDATING_POLICY, ["GlobalContextEntry", "ValidatingPolicy"])],
)
def test_a_file_has_the_policy_last(policy: Policy, kinds: list[str]) -> None:
    assert [each["kind"] for each in policy.read_objects()] == kinds


def test_each_policy_refuses_pods_and_nothing_else() -> None:
    cluster, validating = (policy.read_objects()[-1]["spec"] for policy in POLICIES)
    rule = cluster["rules"][0]
    assert rule["match"]["any"][0]["resources"] == {"kinds": ["Pod"], "operations": ["CREATE", "UPDATE"]}
    assert rule["validate"]["failureAction"] == "Enforce"
    assert validating["matchConstraints"]["resourceRules"][0]["resources"] == ["pods"]
    assert validating["validationActions"] == ["Deny"]


def test_the_cluster_policy_reads_the_lists_that_are_made_from_kyvernos_cache() -> None:
    read = [each["configMap"] for each in CLUSTER_POLICY.read_objects()[0]["spec"]["rules"][0]["context"]]
    made = [each["metadata"] for each in make_lists(2, name_approved)]
    assert read == [{"name": each["name"], "namespace": each["namespace"]} for each in made]
    assert all(each["labels"] == {"cache.kyverno.io/enabled": "true"} for each in made)


def test_the_validating_policy_reads_what_its_entry_makes_of_them() -> None:
    entry, policy = VALIDATING_POLICY.read_objects()
    assert entry["spec"]["kubernetesResource"]["namespace"] == "copa-system"
    projections = {each["name"]: each["jmesPath"] for each in entry["spec"]["projections"]}
    for name, configmap in zip(("listed", "approved"), make_lists(2, name_approved), strict=True):
        assert f"'{configmap['metadata']['name']}'" in projections[name]
        read = f'globalContext.Get("{entry["metadata"]["name"]}", "{name}")'
        assert {"name": name, "expression": read} in policy["spec"]["variables"]


def test_every_image_of_a_list_has_a_lines_end_on_either_side() -> None:
    listed, approved = (each["data"]["images.txt"] for each in make_lists(3, name_approved))
    assert listed == (
        "\nregistry.example.com/team-0/app-0:1.0"
        "\nregistry.example.com/team-0/app-0:1.1"
        "\nregistry.example.com/team-0/app-0:1.2\n"
    )
    assert approved == (
        "\nregistry.example.com/team-0/app-0:1.0-patched-20260509"
        "\nregistry.example.com/team-0/app-0:1.2-patched-20260509\n"
    )


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"conditions": [condition("Ready", "False")]}, False),
        ({"conditions": [condition("Ready", "True")]}, True),
        ({"conditionStatus": {"ready": True, "conditions": [condition("RBACPermissionsGranted", "True")]}}, False),
        ({"conditionStatus": {"ready": False, "conditions": [condition("WebhookConfigured", "True")]}}, True),
    ],
)
def test_a_policy_is_ready_once_kyverno_is_asked(status: dict[str, Any], *, ready: bool) -> None:
    assert is_ready({"status": status}) is ready


def test_reviews_go_where_kube_apiserver_sends_pods() -> None:
    theirs = configuration(("/policyvalidate", ["clusterpolicies"]), ("/exceptionvalidate", ["policyexceptions"]))
    pods = configuration(("/validate/fail", ["pods", "pods/ephemeralcontainers"]))
    assert list_pod_paths([theirs, pods]) == ["/validate/fail?timeout=10s"]
    assert list_pod_paths([theirs, configuration(("/vpol/block-unpatched-images", ["pods"]))]) == [
        "/vpol/block-unpatched-images?timeout=10s"
    ]


def test_without_a_policy_kube_apiserver_sends_no_pods() -> None:
    assert list_pod_paths([configuration(("/policyvalidate", ["clusterpolicies"])), {"metadata": {}}]) == []
