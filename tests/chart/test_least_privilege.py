"""No Pod and no account of the chart has more rights than it needs, whatever the values."""

import re

import pytest

from tests.chart.matrix import MATRIX
from tests.chart.rendering import Chart, Object, Rendering

OWN = ("ghcr.io/patchgate/gate", "ghcr.io/patchgate/patcher", "registry.example.com/patchgate/")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
WRITING = {"create", "update", "patch", "delete", "deletecollection"}


@pytest.fixture(params=MATRIX, scope="module")
def rendering(request: pytest.FixtureRequest, chart: Chart) -> Rendering:
    return chart.render(MATRIX[request.param])


def list_pods(rendering: Rendering) -> list[Object]:
    hooks = [each for each in rendering.hooks if each["kind"] == "Pod"]
    return [*rendering.pods.values(), *hooks]


def list_containers(rendering: Rendering) -> list[Object]:
    return [
        container
        for pod in list_pods(rendering)
        for container in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"])
    ]


def test_every_image_of_others_is_pinned_by_digest(rendering: Rendering) -> None:
    images = {container["image"] for container in list_containers(rendering)}
    others = {image for image in images if not image.startswith(OWN)}
    assert {image for image in others if not DIGEST.search(image)} == set()


def test_our_own_images_are_taken_by_digest_where_one_is_given(chart: Chart) -> None:
    digest = f"sha256:{7:064}"
    image = {"image": {"digest": digest}}
    rendering = chart.render({"gate": image, "patcher": image})
    assert {container["image"].partition("@")[2] for container in list_containers(rendering)} >= {digest}
    assert all(DIGEST.search(container["image"]) for container in list_containers(rendering))


def test_no_account_of_ours_is_mounted_unasked_and_none_is_the_namespace_s_default(rendering: Rendering) -> None:
    accounts = [each for each in rendering.objects if each["kind"] == "ServiceAccount"]
    assert all(each["automountServiceAccountToken"] is False for each in accounts)
    names = {each["metadata"]["name"] for each in accounts}
    for pod in list_pods(rendering):
        assert pod["spec"]["serviceAccountName"] in names
        assert pod["spec"]["automountServiceAccountToken"] is False


def test_buildkit_has_no_token_and_no_rights(rendering: Rendering) -> None:
    for container in list_containers(rendering):
        if container["name"] == "buildkitd":
            assert not [each for each in container["volumeMounts"] if "serviceaccount" in each["mountPath"]]
    subjects = {
        subject["name"]
        for each in rendering.objects
        if each["kind"] in {"RoleBinding", "ClusterRoleBinding"}
        for subject in each["subjects"]
    }
    assert subjects <= {"patchgate", "copa-patcher"}


def test_every_root_file_system_is_read_only_and_every_scratch_volume_bounded(rendering: Rendering) -> None:
    assert all(container["securityContext"]["readOnlyRootFilesystem"] for container in list_containers(rendering))
    for pod in list_pods(rendering):
        volumes = [each["emptyDir"] for each in pod["spec"]["volumes"] if "emptyDir" in each]
        assert all(each.get("sizeLimit") for each in volumes)


def test_nobody_is_root_or_keeps_a_capability_but_buildkit_those_that_fill_its_user_namespace(
    rendering: Rendering,
) -> None:
    for container in list_containers(rendering):
        capabilities = container["securityContext"]["capabilities"]
        assert capabilities["drop"] == ["ALL"]
        allowed = ["SETUID", "SETGID"] if container["name"] == "buildkitd" else None
        assert capabilities.get("add") == allowed
        assert "privileged" not in container["securityContext"]
        assert container["securityContext"].get("runAsUser") != 0
    for pod in list_pods(rendering):
        assert not {"hostPID", "hostIPC", "shareProcessNamespace"} & pod["spec"].keys()
        assert not [each for each in pod["spec"]["volumes"] if "hostPath" in each]


def test_seccomp_is_off_for_buildkit_alone(rendering: Rendering) -> None:
    for pod in list_pods(rendering):
        of_pod = pod["spec"]["securityContext"].get("seccompProfile")
        for container in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]):
            profile = container["securityContext"].get("seccompProfile", of_pod)
            expected = "Unconfined" if container["name"] == "buildkitd" else "RuntimeDefault"
            assert profile == {"type": expected}


def test_no_rule_has_a_star_and_what_is_written_is_named(rendering: Rendering) -> None:
    nameless = {("events", "create"), ("secrets", "create"), ("tokenreviews", "create")}
    for role in rendering.objects:
        if role["kind"] not in {"Role", "ClusterRole"}:
            continue
        for rule in role["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
            if "resourceNames" not in rule:
                written = {(resource, verb) for resource in rule["resources"] for verb in rule["verbs"]}
                assert {each for each in written if each[1] in WRITING} <= nameless, role["metadata"]["name"]


def test_no_rule_reads_secrets_it_does_not_name_or_lets_anybody_become_another(rendering: Rendering) -> None:
    for role in rendering.objects:
        for rule in role.get("rules", []) if role["kind"] in {"Role", "ClusterRole"} else []:
            if "secrets" in rule["resources"]:
                assert rule.get("resourceNames") or rule["verbs"] == ["create"]
            assert not {"impersonate", "bind", "escalate"} & set(rule["verbs"])
            assert not {"pods", "pods/exec", "nodes", "serviceaccounts/token"} & set(rule["resources"])
