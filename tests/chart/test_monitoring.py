"""What the chart makes for Prometheus' operator and for Grafana: where the cluster knows them, as this release is."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART
from tests.chart.rendering import Chart, Rendering

OPERATOR = ("--api-versions", "monitoring.coreos.com/v1/ServiceMonitor")
MADE = {"ServiceMonitor/patchgate", "PrometheusRule/patchgate", "ConfigMap/patchgate-dashboard"}
PATCH_RUNS = {"PatchgatePatchRunOverdue", "PatchgatePatchSuccessOverdue", "PatchgatePatchJobFailed"}
FILE = (CHART / "files" / "alerts.yaml").read_text(encoding="utf-8")
ALL = {rule["alert"] for group in yaml.safe_load(FILE)["groups"] for rule in group["rules"]}


def list_alerts(rendering: Rendering) -> dict[str, dict[str, Any]]:
    groups = rendering.find("PrometheusRule", "patchgate")["spec"]["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def render_alerts(chart: Chart, **values: object) -> dict[str, dict[str, Any]]:
    return list_alerts(chart.render(values, *OPERATOR))


def test_they_are_made_where_the_cluster_knows_them_and_nowhere_else(chart: Chart) -> None:
    assert chart.render({}, *OPERATOR).list_names() >= MADE
    assert not chart.render().list_names() & MADE


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("serviceMonitor", "ServiceMonitor/patchgate"),
        ("alerts", "PrometheusRule/patchgate"),
        ("dashboard", "ConfigMap/patchgate-dashboard"),
    ],
)
def test_each_can_be_had_and_left_out_whatever_the_cluster_knows(chart: Chart, part: str, name: str) -> None:
    assert chart.render({"monitoring": {part: {"enabled": True}}}).list_names() & MADE == {name}
    assert chart.render({"monitoring": {part: {"enabled": False}}}, *OPERATOR).list_names() & MADE == MADE - {name}


def test_the_service_monitor_finds_the_gates_service_and_its_port_for_operators(chart: Chart) -> None:
    rendering = chart.render({}, *OPERATOR)
    spec = rendering.find("ServiceMonitor", "patchgate")["spec"]
    service = rendering.find("Service", "patchgate")
    assert spec["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = spec["endpoints"]
    assert endpoint == {"port": "ops", "path": "/metrics", "scheme": "http", "interval": "30s"}
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_no_other_service_has_those_labels(chart: Chart) -> None:
    rendering = chart.render({}, *OPERATOR)
    wanted = rendering.find("ServiceMonitor", "patchgate")["spec"]["selector"]["matchLabels"].items()
    services = [each for each in rendering.objects if each["kind"] == "Service"]
    assert [each["metadata"]["name"] for each in services if wanted <= each["metadata"]["labels"].items()] == [
        "patchgate"
    ]


def test_every_alert_of_the_file_is_there(chart: Chart) -> None:
    assert render_alerts(chart).keys() == ALL


def test_the_file_is_what_the_default_values_make(chart: Chart) -> None:
    in_file = {rule["alert"]: rule for group in yaml.safe_load(FILE)["groups"] for rule in group["rules"]}
    assert render_alerts(chart) == in_file


def test_alerts_that_nobody_wants_are_left_out(chart: Chart) -> None:
    alerts = render_alerts(chart, monitoring={"alerts": {"leaveOut": ["PatchgateWouldDeny", "PatchgateErrors"]}})
    assert alerts.keys() == ALL - {"PatchgateWouldDeny", "PatchgateErrors"}


@pytest.mark.parametrize("patcher", [{"enabled": False}, {"suspend": True}])
def test_without_a_patcher_that_runs_none_waits_for_its_runs(chart: Chart, patcher: dict[str, bool]) -> None:
    assert render_alerts(chart, patcher=patcher).keys() == ALL - PATCH_RUNS


@pytest.mark.parametrize("mode", ["audit", "warn", "off"])
def test_where_enforce_is_not_the_rule_audit_is_no_alert(chart: Chart, mode: str) -> None:
    assert render_alerts(chart, webhook={"defaultMode": mode}).keys() == ALL - {"PatchgateNotEnforced"}


def test_they_ask_for_the_releases_own_namespace(chart: Chart) -> None:
    text = yaml.safe_dump(list_alerts(chart.render({}, *OPERATOR, "--namespace", "elsewhere")))
    assert set(re.findall(r'namespace="([^"]*)"', text)) == {"elsewhere"}


@pytest.mark.parametrize("period", [86400, 43200, 10800, 1296000])
def test_two_schedules_are_those_of_the_values(chart: Chart, period: int) -> None:
    """Some of them are among the numbers that the chart replaces."""
    alerts = render_alerts(chart, patcher={"periodSeconds": period})
    overdue = alerts["PatchgatePatchRunOverdue"]["expr"]
    assert f"> 2 * {period})" in overdue
    assert f"offset {2 * period}s)" in overdue
    assert f"> 2 * {period} unless" in alerts["PatchgatePatchSuccessOverdue"]["expr"]
    assert alerts["PatchgateCertificateEnding"]["expr"].endswith("< 1296000")


@pytest.mark.parametrize(
    ("certificates", "seconds"),
    [
        ({"days": 30}, 5 * 86400),
        ({"mode": "cert-manager", "days": 12}, 2 * 86400),
        ({"mode": "secret", "secret": {"name": "ours"}, "days": 1}, 15 * 86400),
    ],
)
def test_a_certificate_ends_soon_well_after_it_should_have_been_renewed(
    chart: Chart, certificates: dict[str, object], seconds: int
) -> None:
    expr = render_alerts(chart, certificates=certificates)["PatchgateCertificateEnding"]["expr"]
    assert expr.endswith(f"< {seconds}")


def test_each_says_what_it_is_and_where_to_read_on(chart: Chart) -> None:
    url = "https://wiki.example.com/patchgate"
    for name, rule in render_alerts(chart, monitoring={"alerts": {"runbookUrl": url}}).items():
        assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}, name
        assert rule["annotations"]["runbook_url"] == f"{url}#{name.lower()}"
        assert rule["labels"].keys() == {"severity"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}


def test_labels_and_annotations_are_those_of_the_values(chart: Chart) -> None:
    labels = {"release": "stack"}
    dashboard = {"label": "dashboards", "annotations": {"grafana_folder": "Platform"}}
    parts = {"serviceMonitor": {"labels": labels}, "alerts": {"labels": labels}, "dashboard": dashboard}
    rendering = chart.render({"monitoring": parts}, *OPERATOR)
    for each in MADE:
        assert rendering.find(*each.split("/"))["metadata"]["labels"]["app.kubernetes.io/instance"] == "patchgate"
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert rendering.find(kind, "patchgate")["metadata"]["labels"].items() >= labels.items()
    metadata = rendering.find("ConfigMap", "patchgate-dashboard")["metadata"]
    assert metadata["labels"]["dashboards"] == "1"
    assert metadata["annotations"] == {"grafana_folder": "Platform"}


def test_grafana_gets_the_dashboard_as_it_is(chart: Chart) -> None:
    configmap = chart.render({}, *OPERATOR).find("ConfigMap", "patchgate-dashboard")
    assert configmap["metadata"]["labels"]["grafana_dashboard"] == "1"
    files = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in (CHART / "dashboards").iterdir()}
    assert {name: json.loads(text) for name, text in configmap["data"].items()} == files
    assert files
