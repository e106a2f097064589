"""Every query of alerts and dashboard, asked of a real Prometheus that scrapes a real gate and kube-apiserver."""

import json
import re
from typing import Any

import pytest

from tests.plane.control_plane import wait_until
from tests.prometheus.dashboard import DASHBOARD, list_queries
from tests.prometheus.scene import NAME, WAIT_SECONDS, Scene
from tests.prometheus.test_alerts import ALERTS

FROM_KUBE_STATE_METRICS = re.compile(r"\bkube_(job|cronjob)_")
"""Its module cannot be had here; its series, as it documents them, are in alert_cases.py."""
FROM_AN_ERROR = re.compile(r"\bapiserver_admission_match_condition_evaluation_errors_total")
"""kube-apiserver has it once a condition has failed, which ours never does: tests/attacks/test_s01_match_conditions.py
makes one fail, and finds it."""
TOLD = {
    "PatchgateApprovalsStale",
    "PatchgateBadEntries",
    "PatchgateNotEnforced",
    "PatchgatePatchRunOverdue",
    "PatchgateSlaBreached",
    "PatchgateSlaNear",
    "PatchgateWebhookFailedOpen",
    "PatchgateWebhookUnanswered",
    "PatchgateWouldDeny",
}
"""What the scene gives reason for."""


def list_selectors(expression: str) -> set[str]:
    """List what an expression selects, without the times that it looks at."""
    return set(re.findall(r"\b(?:patchgate|apiserver|kube)_\w+(?:\{[^}]*\})?", expression))


QUERIES = [query for query in list_queries() if not FROM_KUBE_STATE_METRICS.search(query[1])]
SELECTORS = sorted(
    {
        (name, selector.replace("copa-system", NAME))
        for name, rule in ALERTS.items()
        for selector in list_selectors(rule["expr"])
        if not (FROM_KUBE_STATE_METRICS.search(selector) or FROM_AN_ERROR.search(selector))
    }
)


@pytest.fixture(scope="module")
def busy(scene: Scene) -> Scene:
    """The scene with traffic before and after a scrape: a rate needs both."""
    scene.make_traffic()
    seen = f'patchgate_decisions_total{{namespace="{NAME}"}}'
    wait_until(lambda: scene.prometheus.has_numbers(seen), "scraped", WAIT_SECONDS)
    scene.make_traffic()
    return scene


@pytest.mark.parametrize(("title", "query"), QUERIES)
def test_every_query_of_the_dashboard_has_an_answer(busy: Scene, title: str, query: str) -> None:
    wait_until(lambda: busy.prometheus.has_numbers(query), f"{title}: {query}", WAIT_SECONDS)


@pytest.mark.parametrize(("name", "selector"), SELECTORS)
def test_everything_that_an_alert_looks_at_is_there(busy: Scene, name: str, selector: str) -> None:
    wait_until(lambda: busy.prometheus.has_numbers(selector), f"{name}: {selector}", WAIT_SECONDS)


def test_what_comes_from_kube_state_metrics_alone_is_known(busy: Scene) -> None:
    theirs = {name for name, rule in ALERTS.items() if FROM_KUBE_STATE_METRICS.search(rule["expr"])}
    assert theirs == {"PatchgatePatchJobFailed", "PatchgatePatchSuccessOverdue"}
    assert [title for title, query in list_queries() if FROM_KUBE_STATE_METRICS.search(query)] == ["Patch runs"]
    assert busy.prometheus.query('{__name__=~"kube_(job|cronjob)_.*"}') == []


def list_told(scene: Scene) -> dict[str, dict[str, Any]]:
    return {alert["labels"]["alertname"]: alert for alert in scene.prometheus.list_alerts()}


def test_alerts_tell_what_the_scene_gives_reason_for_and_nothing_else(busy: Scene) -> None:
    wait_until(lambda: list_told(busy).keys() >= TOLD, "all told", WAIT_SECONDS)
    errors = busy.prometheus.query("patchgate_errors_total > 0")  # such as a conflict of writers at the start
    assert list_told(busy).keys() == TOLD | ({"PatchgateErrors"} if errors else set())


def test_what_they_tell_is_whole(busy: Scene) -> None:
    for name, alert in list_told(busy).items():
        text = json.dumps(alert["annotations"])
        assert not re.search(r"\{\{|<error|<no value>|%!", text), text
        assert alert["annotations"]["runbook_url"].endswith(f"#{name.lower()}")
        assert alert["labels"].get("namespace", NAME) == NAME


def test_every_rule_is_well(busy: Scene) -> None:
    rules = {rule["name"]: rule for rule in busy.prometheus.list_rules()}
    assert rules.keys() == ALERTS.keys()
    assert {name: rule["lastError"] for name, rule in rules.items() if rule["health"] == "err"} == {}


def test_a_namespace_can_be_chosen_in_the_dashboard(busy: Scene) -> None:
    variables = {each["name"]: each for each in DASHBOARD["templating"]["list"]}
    assert variables["namespace"]["query"]["query"] == "label_values(patchgate_ready, namespace)"
    assert [series["metric"]["namespace"] for series in busy.prometheus.query("patchgate_ready")] == [NAME]


def test_panels_are_told_apart_and_none_lies_on_another() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert {x for x, _ in cells} == set(range(24))
