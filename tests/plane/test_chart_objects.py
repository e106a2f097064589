"""Every object of the chart, as the real kube-apiserver judges it: kept, allowed by Pod Security, its CEL compiled."""

import copy

import pytest

from tests.chart.helm import Helm
from tests.chart.matrix import MATRIX
from tests.chart.rendering import NAMESPACE, Chart, Object, Rendering
from tests.plane.control_plane import Plane

BUILDKIT = "copa-buildkit"
DRY_RUN = ("apply", "--server-side", "--dry-run=server", "--validate=strict")
NOT_KUBERNETES = ("cert-manager.io/", "monitoring.coreos.com/")  # whose kinds are not there
"""Kinds that a cluster has only with cert-manager."""


@pytest.fixture(scope="module")
def chart(plane: Plane, helm: Helm) -> Chart:
    plane.make_namespace(BUILDKIT, {"pod-security.kubernetes.io/enforce": "privileged"})
    plane.make_namespace("restricted", {"pod-security.kubernetes.io/enforce": "restricted"})
    return Chart(helm)


def as_list(objects: list[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": objects}


def make_pod(rendering: Rendering, workload: str) -> Object:
    """Make a Pod of a workload's template, under the account that every namespace has."""
    return _make_pod(workload, rendering.pods[workload])


def make_test_pod(rendering: Rendering) -> Object:
    """Make the Pod of `helm test` in the same way."""
    (hook,) = [each for each in rendering.hooks if each["kind"] == "Pod"]
    return _make_pod("test", hook)


def _make_pod(name: str, template: Object) -> Object:
    spec = copy.deepcopy(template["spec"])
    spec.pop("serviceAccountName", None)
    metadata = {"name": name, "labels": template["metadata"]["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("name", MATRIX)
def test_every_object_is_accepted(plane: Plane, chart: Chart, name: str) -> None:
    rendering = chart.render(MATRIX[name])
    hooks = [each for each in rendering.hooks if each["kind"] != "Pod"]  # whose account must be there: below
    objects = [each for each in (*rendering.objects, *hooks) if not each["apiVersion"].startswith(NOT_KUBERNETES)]
    assert len(objects) > 20
    for namespace in (NAMESPACE, BUILDKIT):
        inside = [each for each in objects if each["metadata"].get("namespace", NAMESPACE) == namespace]
        if inside:
            said = plane.kubectl.inside(namespace).do(*DRY_RUN, "-f", "-", given=as_list(inside))
            assert len(said.out.splitlines()) == len(inside)
            assert said.warnings == ()


@pytest.mark.parametrize("name", MATRIX)
def test_the_webhooks_that_the_gate_is_given_are_accepted(plane: Plane, chart: Chart, name: str) -> None:
    rendering = chart.render(MATRIX[name])
    configuration = rendering.find("ValidatingWebhookConfiguration", "patchgate")
    whole = configuration | {"webhooks": list(rendering.webhooks.values())}
    assert plane.kubectl.create(whole, "--dry-run=server", "--validate=strict").is_admitted


def test_a_match_condition_that_is_no_cel_is_told_of(plane: Plane, chart: Chart) -> None:
    rendering = chart.render({"webhook": {"matchConditions": [{"name": "mine", "expression": "object.("}]}})
    configuration = rendering.find("ValidatingWebhookConfiguration", "patchgate")
    said = plane.kubectl.create(configuration | {"webhooks": list(rendering.webhooks.values())}, "--dry-run=server")
    assert "compilation failed" in said.errors


@pytest.mark.parametrize(
    "name", [name for name in MATRIX if name not in {"sidecar", "user-namespace-sidecar", "clouds"}]
)
def test_pod_security_s_strictest_level_lets_gate_and_patcher_in(plane: Plane, chart: Chart, name: str) -> None:
    rendering = chart.render(MATRIX[name])
    pods = [make_pod(rendering, workload) for workload in rendering.pods.keys() - {"patchgate-buildkit"}]
    for each in (*pods, make_test_pod(rendering)):
        said = plane.kubectl.inside("restricted").create(each, "--dry-run=server", "--validate=strict")
        assert said.is_admitted, said.errors


def test_it_keeps_buildkit_out_but_of_its_own_namespace(plane: Plane, chart: Chart) -> None:
    pod = make_pod(chart.render(), "patchgate-buildkit")
    assert "violates PodSecurity" in plane.kubectl.inside("restricted").create(pod, "--dry-run=server").errors
    assert plane.kubectl.inside(BUILDKIT).create(pod, "--dry-run=server").is_admitted


def test_the_sidecar_and_the_node_s_network_need_a_namespace_that_it_leaves_alone(plane: Plane, chart: Chart) -> None:
    for name, workload in {"sidecar": "copa-image-patcher", "clouds": "patchgate"}.items():
        pod = make_pod(chart.render(MATRIX[name]), workload)
        assert "violates PodSecurity" in plane.kubectl.inside("restricted").create(pod, "--dry-run=server").errors
        assert plane.kubectl.inside(BUILDKIT).create(pod, "--dry-run=server").is_admitted


def test_the_chart_is_for_the_namespace_that_people_read_of(chart: Chart) -> None:
    assert {each["metadata"].get("namespace") for each in chart.render().objects} == {None, NAMESPACE, BUILDKIT}
