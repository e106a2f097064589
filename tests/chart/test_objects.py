"""What holds for every object, whatever the values."""

import pytest

from tests.chart.matrix import MATRIX
from tests.chart.rendering import NAMESPACE, Chart, Object, Rendering

CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "Namespace",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}


@pytest.fixture(params=MATRIX, scope="module")
def rendering(request: pytest.FixtureRequest, chart: Chart) -> Rendering:
    return chart.render(MATRIX[request.param])


def containers(pod: Object) -> list[Object]:
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def test_no_two_are_one(rendering: Rendering) -> None:
    names = [(each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"]) for each in rendering.objects]
    assert len(names) == len(set(names))


def test_each_says_its_namespace_and_what_it_belongs_to(rendering: Rendering) -> None:
    for each in (*rendering.objects, *rendering.hooks):
        metadata = each["metadata"]
        allowed = {None} if each["kind"] in CLUSTER_WIDE else {NAMESPACE, "copa-buildkit"}
        assert metadata.get("namespace") in allowed, metadata["name"]
        assert metadata["labels"]["app.kubernetes.io/name"] == "patchgate"
        assert metadata["labels"]["app.kubernetes.io/component"]


def test_gate_and_patcher_ask_for_nothing_that_pod_security_restricts(rendering: Rendering) -> None:
    for workload, pod in rendering.pods.items():
        if workload == "patchgate-buildkit":
            continue
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            if container["name"] != "buildkitd":
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }


def test_every_container_says_what_it_needs_and_mounts_what_there_is(rendering: Rendering) -> None:
    for pod in rendering.pods.values():
        volumes = {each["name"] for each in pod["spec"]["volumes"]}
        mounted = {each["name"] for container in containers(pod) for each in container["volumeMounts"]}
        assert mounted == volumes
        assert all(container["resources"]["requests"]["memory"] for container in containers(pod))
        assert all(container["resources"]["limits"]["memory"] for container in containers(pod))


def test_every_role_that_is_bound_is_there_and_so_is_its_account(rendering: Rendering) -> None:
    for binding in rendering.objects:
        if binding["kind"] in {"RoleBinding", "ClusterRoleBinding"}:
            assert rendering.has(binding["roleRef"]["kind"], binding["roleRef"]["name"])
            assert all(rendering.has(each["kind"], each["name"]) for each in binding["subjects"])


def test_no_secret_is_in_a_configmap_or_an_argument(rendering: Rendering) -> None:
    for each in rendering.objects:
        if each["kind"] != "Secret":
            assert "PRIVATE KEY" not in str(each)


def test_nothing_but_our_own_image_runs_for_a_hook(rendering: Rendering) -> None:
    own = {rendering.container("patchgate", "gate")["image"]}
    assert {
        container["image"] for hook in rendering.hooks if hook["kind"] == "Pod" for container in containers(hook)
    } <= own
