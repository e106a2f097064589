"""docs/monitoring.md names what there is: every series of the gate, every alert, every panel that it shows."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Gate

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
CHART = ROOT / "charts" / "patchgate"
IN_A_CLUSTER_ALONE = {"patchgate_contact_age_seconds"}
"""Which tests/prometheus holds to be there."""


def list_alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def list_series(text: str) -> set[str]:
    """Families as Prometheus sees them: a counter's name ends in `_total`."""
    families = [each for each in text_string_to_metric_families(text) if not each.name.endswith("_created")]
    return {f"{each.name}_total" if each.type == "counter" else each.name for each in families}


def test_every_series_is_named_and_none_that_is_not(gate: Gate) -> None:
    gate.wait_until(lambda: "patchgate_tracked_images" in gate.ask_ops("/metrics").text)
    named = set(re.findall(r"^\| `(patchgate_\w+)` \|", TEXT, re.MULTILINE))
    assert named == list_series(gate.ask_ops("/metrics").text) | IN_A_CLUSTER_ALONE


def test_every_alert_is_named_with_its_severity_and_its_patience() -> None:
    rows = re.findall(r"^\| `(Patchgate\w+)` \| (\w+) \| ([\w ]+) \|", TEXT, re.MULTILINE)
    alerts = [(rule["alert"], rule["labels"]["severity"], rule.get("for", "at once")) for rule in list_alerts()]
    assert rows == alerts


def test_who_tells_an_alert_is_who_has_its_series() -> None:
    tellers = dict(re.findall(r"^\| `(Patchgate\w+)` \|.*\| ([\w -]+) \|$", TEXT, re.MULTILINE))
    prefixes = {"the gate": "patchgate_", "kube-apiserver": "apiserver_", "kube-state-metrics": "kube_"}
    for rule in list_alerts():
        series = re.findall(r"\b(patchgate_|apiserver_|kube_)\w+", rule["expr"])
        assert set(series) == {prefixes[tellers[rule["alert"]]]}, rule["alert"]


def test_the_picture_shows_every_panel_and_is_small() -> None:
    picture = (ROOT / "docs" / "images" / "dashboard.svg").read_text(encoding="utf-8")
    dashboard = json.loads((CHART / "dashboards" / "patchgate.json").read_text(encoding="utf-8"))
    assert [panel["title"] for panel in dashboard["panels"] if f">{panel['title']}<" not in picture] == []
    assert len(picture) < 300 * 1024


def test_what_it_says_of_values_are_values() -> None:
    values = set(
        re.findall(r"^\| `([\w.]+)` \|", (ROOT / "docs" / "values.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = set(re.findall(r"`((?:monitoring|networkPolicy|patcher|webhook)\.[\w.]+)`", TEXT))
    assert named
    assert named <= values


def test_every_alert_has_its_section_on_the_page_that_it_leads_to() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (Patchgate\w+)$", operations, re.MULTILINE)
    assert sorted(sections) == sorted(rule["alert"] for rule in list_alerts())
    assert {rule["annotations"]["runbook_url"].partition("#")[2] for rule in list_alerts()} == {
        section.lower() for section in sections
    }
