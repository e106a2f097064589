"""Where the patcher and BuildKit may connect to."""

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from tests.chart.rendering import Chart, Object

PATCHER, BUILDKIT = "copa-image-patcher", "patchgate-buildkit"
BOTH = pytest.mark.parametrize("name", [PATCHER, BUILDKIT])
CREDENTIALS = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "168.63.129.16", "100.100.100.200"]
CREDENTIALS_IPV6 = ["fe80::a9fe:a9fe", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"]
CREDENTIALS_NAT64 = ["64:ff9b::169.254.169.254", "64:ff9b::168.63.129.16"]
INTERNET = ["140.82.121.33", "2606:50c0:8000::154", "64:ff9b::140.82.121.33"]
CLUSTER = ["10.96.0.1", "10.244.3.7", "172.20.0.10", "192.168.1.5", "100.64.9.9", "fd12:3456::1"]
CLUSTER_NAT64 = ["64:ff9b::10.96.0.1", "64:ff9b::172.31.255.255", "64:ff9b::192.168.1.5", "64:ff9b::100.127.0.1"]


def egress(chart: Chart, name: str, values: Object | None = None, *flags: str) -> list[Object]:
    spec = chart.render(values, *flags).find("NetworkPolicy", name)["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    return list(spec["egress"])


def may_connect(rules: list[Object], address: str, port: int, protocol: str = "TCP") -> bool:
    """Tell whether a policy lets its Pods connect to an address that is no Pod's (networking.k8s.io/v1, ipBlock)."""

    def is_in(block: dict[str, Any]) -> bool:
        there = ip_address(address)
        return there in ip_network(block["cidr"]) and not any(
            there in ip_network(each) for each in block.get("except", [])
        )

    def is_port(rule: Object) -> bool:
        return "ports" not in rule or {"port": port, "protocol": protocol} in rule["ports"]

    return any(
        is_port(rule) and any("ipBlock" in peer and is_in(peer["ipBlock"]) for peer in rule["to"]) for rule in rules
    )


@BOTH
@pytest.mark.parametrize("address", INTERNET)
def test_both_reach_registries_and_package_mirrors_of_the_internet(chart: Chart, name: str, address: str) -> None:
    rules = egress(chart, name)
    assert all(may_connect(rules, address, port) for port in (80, 443, 5000))


@BOTH
@pytest.mark.parametrize("address", [*CREDENTIALS, *CREDENTIALS_IPV6, *CREDENTIALS_NAT64])
def test_neither_reaches_an_address_at_which_a_cloud_serves_credentials(chart: Chart, name: str, address: str) -> None:
    narrowed: Object = {"networkPolicy": {"egress": {"privateRanges": []}}}
    for values in (None, narrowed):
        rules = egress(chart, name, values)
        assert not any(may_connect(rules, address, port) for port in (53, 80, 443, 988, 1338, 6443))


@pytest.mark.parametrize("address", [*CLUSTER, *CLUSTER_NAT64])
def test_buildkit_reaches_nothing_in_the_cluster_and_the_patcher_kube_apiserver_s_ports_alone(
    chart: Chart, address: str
) -> None:
    assert not any(may_connect(egress(chart, BUILDKIT), address, port) for port in (80, 443, 6443, 10250))
    rules = egress(chart, PATCHER)
    assert [port for port in (22, 80, 443, 2379, 6443, 10250) if may_connect(rules, address, port)] == [443, 6443]


def test_where_kube_apiserver_is_can_be_said(chart: Chart) -> None:
    values = {"networkPolicy": {"egress": {"kubeApiServer": {"cidrs": ["10.0.0.10/32"], "ports": [6443]}}}}
    rules = egress(chart, PATCHER, values)
    assert may_connect(rules, "10.0.0.10", 6443)
    assert not may_connect(rules, "10.0.0.10", 443)
    assert not may_connect(rules, "10.0.0.11", 6443)


def test_ranges_of_the_cluster_can_be_added_and_other_ones_opened(chart: Chart) -> None:
    rules = egress(chart, BUILDKIT, {"networkPolicy": {"egress": {"privateRanges": ["198.18.0.0/15", "fc00::/7"]}}})
    assert not may_connect(rules, "198.19.0.1", 443)
    assert not may_connect(rules, "64:ff9b::198.19.0.1", 443)
    assert may_connect(rules, "10.0.0.1", 443)


@BOTH
def test_names_are_resolved_in_kube_system_and_by_its_cache_on_the_node(chart: Chart, name: str) -> None:
    first, *_ = egress(chart, name)
    assert first["ports"] == [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}} in first["to"]
    assert may_connect([first], "169.254.20.10", 53, "UDP")


@BOTH
def test_a_registry_or_proxy_in_a_private_network_is_allowed_by_name(chart: Chart, name: str) -> None:
    rule = {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "registry"}}}],
        "ports": [{"port": 5000, "protocol": "TCP"}],
    }
    values = {"networkPolicy": {"egress": {"allow": [rule]}}}
    assert rule in egress(chart, name, values)
    assert rule not in egress(chart, name)


def test_the_patcher_reaches_buildkit_s_pods(chart: Chart) -> None:
    rendering = chart.render()
    (rule,) = [
        rule
        for rule in rendering.find("NetworkPolicy", PATCHER)["spec"]["egress"]
        if {"port": 1234, "protocol": "TCP"} in rule.get("ports", [])
    ]
    (peer,) = rule["to"]
    labels = rendering.pods[BUILDKIT]["metadata"]["labels"]
    assert peer["podSelector"]["matchLabels"].items() <= labels.items()
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "copa-buildkit"}


def test_a_buildkit_and_a_trivy_server_of_people_s_own_are_reached_at_their_ports_wherever_they_are(
    chart: Chart,
) -> None:
    rules = egress(
        chart,
        PATCHER,
        {
            "buildkit": {"mode": "external", "address": "tcp://buildkit.build.svc:4321"},
            "patcher": {"trivy": {"server": "http://trivy.scan.svc:4954/"}},
        },
    )
    for port in (4321, 4954):
        assert may_connect(rules, "10.1.2.3", port)
        assert not may_connect(rules, "169.254.169.254", port)
        assert any(
            {"port": port, "protocol": "TCP"} in r.get("ports", []) and {"namespaceSelector": {}} in r["to"]
            for r in rules
        )
    assert not may_connect(rules, "10.1.2.3", 1234)


def test_on_gke_the_patcher_alone_asks_the_metadata_server_for_its_own_identity(chart: Chart) -> None:
    values = {"patcher": {"cloud": {"gke": {"serviceAccount": "copa@project.iam.gserviceaccount.com"}}}}
    assert may_connect(egress(chart, PATCHER, values), "169.254.169.254", 80)
    assert may_connect(egress(chart, PATCHER, values), "169.254.169.252", 988)
    assert not may_connect(egress(chart, BUILDKIT, values), "169.254.169.254", 80)


def test_where_cilium_is_it_is_told_that_the_patcher_needs_kube_apiserver(chart: Chart) -> None:
    assert not chart.render().has("CiliumNetworkPolicy", PATCHER)
    known = ("--api-versions", "cilium.io/v2/CiliumNetworkPolicy")
    spec = chart.render(None, *known).find("CiliumNetworkPolicy", PATCHER)["spec"]
    assert spec["egress"] == [{"toEntities": ["kube-apiserver"]}]
    off = chart.render({"networkPolicy": {"egress": {"enabled": False}}}, *known)
    assert not off.has("CiliumNetworkPolicy", PATCHER)


def test_it_can_be_turned_off_alone_or_with_all_policies(chart: Chart) -> None:
    rendering = chart.render({"networkPolicy": {"egress": {"enabled": False}}})
    for name in (PATCHER, BUILDKIT):
        spec = rendering.find("NetworkPolicy", name)["spec"]
        assert spec["policyTypes"] == ["Ingress"]
        assert "egress" not in spec
    assert not [
        each for each in chart.render({"networkPolicy": {"enabled": False}}).list_names() if "NetworkPolicy" in each
    ]


def test_a_sidecar_s_builds_are_under_the_patcher_s_policy(chart: Chart) -> None:
    rendering = chart.render({"buildkit": {"mode": "sidecar"}})
    assert not rendering.has("NetworkPolicy", BUILDKIT)
    rules = rendering.find("NetworkPolicy", PATCHER)["spec"]["egress"]
    assert not may_connect(rules, "169.254.169.254", 80)
    assert not may_connect(rules, "10.96.0.10", 1234)
