"""BuildKit's Pod in a user namespace of its own."""

import pytest

from tests.chart.rendering import Chart, Object, Rendering

SHARED = "--oci-worker-no-process-sandbox"
WORKLOADS = {"namespace": "patchgate-buildkit", "sidecar": "copa-image-patcher"}
BOTH = pytest.mark.parametrize("mode", WORKLOADS)


def buildkit(**values: object) -> Object:
    return {"buildkit": values}


def is_in_user_namespace(rendering: Rendering, mode: str) -> bool:
    """Whether all that belongs to it is there; fails where only a part is."""
    workload = WORKLOADS[mode]
    container = rendering.container(workload, "buildkitd")
    parts = {
        rendering.pods[workload]["spec"].get("hostUsers") is False,
        container["securityContext"].get("procMount") == "Unmasked",
        SHARED not in container["args"],
        {"/etc/subuid", "/etc/subgid"} <= {each["mountPath"] for each in container["volumeMounts"]},
        "ids" in rendering.find("ConfigMap", "patchgate-buildkit")["data"],
    }
    assert len(parts) == 1
    return parts == {True}


@BOTH
def test_where_people_say_so_builds_have_processes_of_their_own(chart: Chart, mode: str) -> None:
    assert is_in_user_namespace(chart.render(buildkit(mode=mode, userNamespace=True)), mode)
    assert not is_in_user_namespace(chart.render(buildkit(mode=mode, userNamespace=False)), mode)


@BOTH
def test_where_helm_cannot_ask_the_nodes_it_has_none(chart: Chart, mode: str) -> None:
    assert not is_in_user_namespace(chart.render(buildkit(mode=mode)), mode)


def test_ids_that_builds_see_lie_in_the_65536_of_a_pod_and_leave_out_its_root_and_buildkit_s_own(chart: Chart) -> None:
    rendering = chart.render(buildkit(userNamespace=True))
    lines = rendering.find("ConfigMap", "patchgate-buildkit")["data"]["ids"].splitlines()
    assert {line.split(":")[0] for line in lines} == {"user"}
    ids = [
        number
        for line in lines
        for start, count in [map(int, line.split(":")[1:])]
        for number in range(start, start + count)
    ]
    assert len(ids) == len(set(ids)) == 65_534  # and 0, which rootlesskit maps to 1000: a build has 0 to 65534
    assert set(range(65_536)) - set(ids) == {0, 1000}


def test_kubernetes_that_does_not_have_them_is_told_of(chart: Chart) -> None:
    old = ("--kube-version", "1.32.4")
    assert not is_in_user_namespace(chart.render({}, *old), "namespace")
    said = chart.ask(buildkit(userNamespace=True), *old)
    assert said.code != 0
    assert "buildkit.userNamespace: Kubernetes has it from 1.33 on" in said.errors


def test_no_other_pod_changes(chart: Chart) -> None:
    without, within = (chart.render(buildkit(userNamespace=wanted)) for wanted in (False, True))
    for workload in ("patchgate", "copa-image-patcher"):
        assert without.pods[workload] == within.pods[workload]
