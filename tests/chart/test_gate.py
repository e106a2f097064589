"""The gate's Deployment and what is around it."""

import pytest

from patchgate.limits import DRAIN_SECONDS, SHUTDOWN_SECONDS
from tests.chart.matrix import MATRIX
from tests.chart.rendering import Chart

GATE = {"app.kubernetes.io/name": "patchgate", "app.kubernetes.io/instance": "patchgate"} | {
    "app.kubernetes.io/component": "gate"
}


@pytest.mark.parametrize("drain_seconds", [0, 0.5, DRAIN_SECONDS, 60])
def test_its_grace_period_is_longer_than_it_takes_to_leave(chart: Chart, drain_seconds: float) -> None:
    rendering = chart.render({"gate": {"drainSeconds": drain_seconds}})
    grace_seconds = rendering.pods["patchgate"]["spec"]["terminationGracePeriodSeconds"]
    assert grace_seconds >= drain_seconds + SHUTDOWN_SECONDS + 5
    assert f"--drain-seconds={drain_seconds}" in rendering.container("patchgate", "gate")["args"]


def test_unless_told_otherwise_it_drains_as_long_as_the_program_does_by_itself(chart: Chart) -> None:
    assert f"--drain-seconds={DRAIN_SECONDS}" in chart.render().container("patchgate", "gate")["args"]


@pytest.mark.parametrize(("shown", "arguments"), [(True, []), (False, ["--status-page=off"])])
def test_the_status_page_is_there_unless_it_is_turned_off(chart: Chart, shown: bool, arguments: list[str]) -> None:
    args = chart.render({"gate": {"statusPage": shown}}).container("patchgate", "gate")["args"]
    assert [argument for argument in args if argument.startswith("--status-page")] == arguments


def test_a_rolling_update_never_has_fewer_than_it_began_with(chart: Chart) -> None:
    spec = chart.render().find("Deployment", "patchgate")["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"] == {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_in_the_node_s_network_an_old_one_makes_room_as_no_node_has_it_for_two(chart: Chart) -> None:
    rendering = chart.render({"gate": {"hostNetwork": True}})
    assert rendering.pods["patchgate"]["spec"]["hostNetwork"] is True
    assert rendering.find("Deployment", "patchgate")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 1


def test_a_drain_of_nodes_leaves_all_but_one(chart: Chart) -> None:
    spec = chart.render().find("PodDisruptionBudget", "patchgate")["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["selector"] == {"matchLabels": GATE}


def test_replicas_are_spread_over_nodes_and_zones_but_run_wherever_they_can(chart: Chart) -> None:
    spread = chart.render().pods["patchgate"]["spec"]["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    assert {each["whenUnsatisfiable"] for each in spread} == {"ScheduleAnyway"}
    assert all(each["labelSelector"] == {"matchLabels": GATE} for each in spread)


def test_every_selector_finds_its_pods(chart: Chart) -> None:
    rendering = chart.render()
    for workload in ("patchgate", "patchgate-buildkit"):
        labels = rendering.pods[workload]["metadata"]["labels"].items()
        assert rendering.find("Deployment", workload)["spec"]["selector"]["matchLabels"].items() <= labels
        assert rendering.find("Service", workload)["spec"]["selector"].items() <= labels
    patcher = rendering.find("NetworkPolicy", "patchgate-buildkit")["spec"]["ingress"][0]["from"][0]["podSelector"]
    assert patcher["matchLabels"].items() <= rendering.pods["copa-image-patcher"]["metadata"]["labels"].items()


def test_a_new_version_alone_leaves_pods_their_labels(chart: Chart) -> None:
    for pod in chart.render().pods.values():
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & pod["metadata"]["labels"].keys()


def test_probes_ask_over_tls(chart: Chart) -> None:
    container = chart.render().container("patchgate", "gate")
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {kind: each["path"] for kind, each in asked.items()} == {
        "startup": "/livez",
        "readiness": "/readyz",
        "liveness": "/livez",
    }
    assert all((each["scheme"], each["port"]) == ("HTTPS", "https") for each in asked.values())


def test_its_ops_port_is_open_to_prometheus_alone_and_its_other_port_to_all(chart: Chart) -> None:
    https, ops = chart.render().find("NetworkPolicy", "patchgate")["spec"]["ingress"]
    assert https == {"ports": [{"port": "https"}]}
    assert ops["ports"] == [{"port": "ops"}]
    assert ops["from"] == [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
    ]


def test_nobody_named_means_nobody(chart: Chart) -> None:
    ingress = chart.render({"networkPolicy": {"opsFrom": []}}).find("NetworkPolicy", "patchgate")["spec"]["ingress"]
    assert ingress == [{"ports": [{"port": "https"}]}]


def test_beyond_its_namespace_it_may_touch_its_own_configuration_alone(chart: Chart) -> None:
    rules = chart.render().find("ClusterRole", "patchgate")["rules"]
    assert rules == [
        {
            "apiGroups": ["admissionregistration.k8s.io"],
            "resources": ["validatingwebhookconfigurations"],
            "resourceNames": ["patchgate"],
            "verbs": ["get", "patch"],
        }
    ]


def test_of_secrets_it_reads_its_own_alone(chart: Chart) -> None:
    for name, values in MATRIX.items():
        rules = chart.render(values).find("Role", "patchgate")["rules"]
        secrets = [rule for rule in rules if rule["resources"] == ["secrets"]]
        reading = [rule for rule in secrets if rule["verbs"] != ["create"]]
        assert all(len(rule["resourceNames"]) == 1 for rule in reading), name
        is_own = values.get("certificates", {}).get("mode", "self") == "self"
        assert {verb for rule in secrets for verb in rule["verbs"]} == (
            {"get", "update", "create"} if is_own else {"get"}
        ), name


def test_the_image_is_the_one_of_the_values_by_digest_where_there_is_one(chart: Chart) -> None:
    digest = f"sha256:{0:064}"
    image = {"repository": "registry.example.com/gate", "tag": "7", "digest": digest}
    assert chart.render().container("patchgate", "gate")["image"] == "ghcr.io/patchgate/gate:0.1.0"
    rendering = chart.render({"gate": {"image": image}})
    assert rendering.container("patchgate", "gate")["image"] == f"registry.example.com/gate:7@{digest}"


def test_memory_is_taken_by_nobody_else_and_cpu_has_no_limit(chart: Chart) -> None:
    resources = chart.render().container("patchgate", "gate")["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" not in resources["limits"]


class TestClientCertificates:
    def test_callers_are_asked_for_none_unless_told(self, chart: Chart) -> None:
        rendering = chart.render()
        assert not [each for each in rendering.container("patchgate", "gate")["args"] if "--client-" in each]
        assert "client-ca" not in [each["name"] for each in rendering.pods["patchgate"]["spec"]["volumes"]]

    def test_the_gate_reads_the_ca_of_a_secret_and_never_its_key(self, chart: Chart) -> None:
        client_ca = {"secret": "kube-client-ca", "auth": "require", "names": ["a", "b"]}
        rendering = chart.render({"webhook": {"clientCA": client_ca}})
        container = rendering.container("patchgate", "gate")
        assert [each for each in container["args"] if "--client-" in each] == [
            "--client-ca=/etc/patchgate/client-ca/ca.crt",
            "--client-auth=require",
            "--client-name=a",
            "--client-name=b",
        ]
        (volume,) = [each for each in rendering.pods["patchgate"]["spec"]["volumes"] if each["name"] == "client-ca"]
        assert volume["secret"] == {"secretName": "kube-client-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
        (mount,) = [each for each in container["volumeMounts"] if each["name"] == "client-ca"]
        assert mount == {"name": "client-ca", "mountPath": "/etc/patchgate/client-ca", "readOnly": True}

    def test_a_mode_that_there_is_not_is_refused(self, chart: Chart) -> None:
        assert "auth" in chart.refuse({"webhook": {"clientCA": {"secret": "a", "auth": "perhaps"}}})
