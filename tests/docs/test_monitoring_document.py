"""docs/monitoring.md names what there is: every series of the gate, every alert, every value of the chart for it."""

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
