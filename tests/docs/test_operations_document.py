"""docs/operations.md: each alert of the chart stands there under its own name, and no other."""

import re

import yaml

from tests.docs.blocks import ROOT

TEXT = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
ALERTS = ROOT / "charts/patchgate/files/alerts.yaml"


def list_alerts() -> list[str]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]


def test_every_alert_has_its_part_and_every_part_its_alert() -> None:
    headings = re.findall(r"^### (\w+)$", TEXT, re.MULTILINE)
    assert sorted(headings) == sorted(list_alerts())
    assert len(headings) >= 10


def test_every_alert_leads_to_its_part() -> None:
    links = re.findall(r"operations\.md#(\S+)", ALERTS.read_text(encoding="utf-8"))
    assert links == [name.lower() for name in list_alerts()]


def test_every_alert_that_any_page_names_is_one() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        named = set(re.findall(r"`(Patchgate[A-Z]\w+)`", page.read_text(encoding="utf-8")))
        assert named <= set(list_alerts()), page.name
