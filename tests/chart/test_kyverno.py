"""The policies for Kyverno, rendered: which there are, whom they match, and that the examples are the same."""

import pytest

from patchgate.gate.settings import KYVERNO_USERS
from tests.chart.helm import Helm
from tests.chart.rendering import Chart, Object
from tools.kyverno_examples import EXAMPLES, FILES, write_example

BLOCK, DIGEST = "block-unpatched-images", "require-copa-approved-digest"
KINDS = {"validatingPolicy": "ValidatingPolicy", "clusterPolicy": "ClusterPolicy"}


def list_policies(chart: Chart, **values: object) -> dict[str, Object]:
    objects = chart.render({"kyverno": values}).objects
    return {
        f"{each['kind']}/{each['metadata']['name']}": each for each in objects if "kyverno.io/" in each["apiVersion"]
    }


def test_there_are_none_unless_asked_for(chart: Chart) -> None:
    assert list_policies(chart) == {}


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("validatingPolicy", {f"ValidatingPolicy/{BLOCK}", f"ValidatingPolicy/{DIGEST}"}),
        ("clusterPolicy", {f"ClusterPolicy/{BLOCK}", f"ClusterPolicy/{DIGEST}"}),
        ("catalog", {"GlobalContextEntry/copa-catalog", f"ValidatingPolicy/{DIGEST}"}),
        (
            "configMaps",
            {"GlobalContextEntry/copa-configmaps", f"ValidatingPolicy/{BLOCK}", f"ValidatingPolicy/{DIGEST}"},
        ),
    ],
)
def test_a_form_has_its_policies(chart: Chart, form: str, names: set[str]) -> None:
    assert set(list_policies(chart, form=form)) == names


@pytest.mark.parametrize("form", ["validatingPolicy", "clusterPolicy", "catalog", "configMaps"])
def test_a_policy_can_be_left_out(chart: Chart, form: str) -> None:
    policies = list_policies(chart, form=form, blockUnpatchedImages="none", requireApprovedDigest="none")
    assert not [name for name in policies if "Policy/" in name]


def test_system_namespaces_and_those_named_are_never_matched(chart: Chart) -> None:
    expected = ["copa-system", "kube-system", "kube-public", "kube-node-lease", "copa-buildkit", "cni"]
    for form, kind in KINDS.items():
        spec = list_policies(chart, form=form, excludedNamespaces=["cni"])[f"{kind}/{BLOCK}"]["spec"]
        if kind == "ClusterPolicy":
            assert spec["rules"][0]["exclude"]["any"][0]["resources"]["namespaces"] == expected
        else:
            assert spec["matchConstraints"]["namespaceSelector"]["matchExpressions"][0]["values"] == expected


def test_namespaces_in_mode_warn_or_audit_are_not_refused_but_reported(chart: Chart) -> None:
    for action, is_left_out in (("Deny", True), ("Audit", False)):
        policies = list_policies(chart, form="validatingPolicy", blockUnpatchedImages=action)
        selector = policies[f"ValidatingPolicy/{BLOCK}"]["spec"]["matchConstraints"]["namespaceSelector"]
        keys = [each["key"] for each in selector["matchExpressions"]]
        assert ("patchgate.io/mode" in keys) == is_left_out


def test_the_gate_is_asked_by_its_service_unless_told_otherwise(chart: Chart) -> None:
    own = list_policies(chart, form="clusterPolicy")[f"ClusterPolicy/{BLOCK}"]
    call = own["spec"]["rules"][0]["context"][0]["apiCall"]["service"]
    assert (call["url"], "caBundle" in call) == ("https://patchgate.copa-system.svc:443/v1/decisions", False)
    pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
    other = list_policies(chart, form="clusterPolicy", url="https://gate.example.com/", caBundle=pem)
    call = other[f"ClusterPolicy/{BLOCK}"]["spec"]["rules"][0]["context"][0]["apiCall"]["service"]
    assert (call["url"], call["caBundle"]) == ("https://gate.example.com/v1/decisions", pem)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"url": "http://gate.example.com"}, "url"),
        ({"caBundle": "abc"}, "caBundle"),
        ({"form": "validatingpolicy"}, "form"),
        ({"blockUnpatchedImages": "Enforce"}, "blockUnpatchedImages"),
        ({"failurePolicy": "fail"}, "failurePolicy"),
    ],
)
def test_a_wrong_value_is_refused(chart: Chart, values: dict[str, object], said: str) -> None:
    assert said in chart.refuse({"kyverno": values})


class TestTokens:
    def test_the_gate_asks_for_none_unless_told(self, chart: Chart) -> None:
        rendered = chart.render()
        assert not [each for each in rendered.container("patchgate", "gate")["args"] if "token-audience" in each]
        assert "tokenreviews" not in str(rendered.find("ClusterRole", "patchgate"))

    def test_it_is_told_the_audience_and_given_the_right(self, chart: Chart) -> None:
        rendered = chart.render({"gate": {"tokenAudience": "kyverno-svc.kyverno.io"}})
        arguments = rendered.container("patchgate", "gate")["args"]
        assert "--token-audience=kyverno-svc.kyverno.io" in arguments
        users = [each.partition("=")[2] for each in arguments if each.startswith("--token-user=")]
        assert tuple(users) == KYVERNO_USERS
        rules = rendered.find("ClusterRole", "patchgate")["rules"]
        assert {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]} in rules

    def test_a_form_that_sends_no_token_is_refused(self, chart: Chart) -> None:
        values = {"gate": {"tokenAudience": "kyverno-svc.kyverno.io"}, "kyverno": {"form": "validatingPolicy"}}
        assert "a ValidatingPolicy sends no token" in chart.refuse(values)


@pytest.mark.parametrize("name", FILES)
def test_the_example_is_what_the_chart_makes(helm: Helm, name: str) -> None:
    written = (EXAMPLES / name).read_text(encoding="utf-8")
    assert written == write_example(helm.program, name), "run python -m tools.kyverno_examples"
