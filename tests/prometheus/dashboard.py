"""The dashboard as the chart ships it, and its queries with Grafana's variables filled in."""

import json
from collections.abc import Iterator
from typing import Any

from tests.chart.helm import CHART
from tests.prometheus.scene import NAME

DASHBOARD: dict[str, Any] = json.loads((CHART / "dashboards" / "patchgate.json").read_text(encoding="utf-8"))


def fill_in(expression: str, rate_interval: str = "1m") -> str:
    """Fill in what Grafana does: the namespace that is chosen, and four scrapes or more."""
    return expression.replace("$namespace", NAME).replace("$__rate_interval", rate_interval)


def list_queries() -> Iterator[tuple[str, str]]:
    """List the dashboard's queries, each with its panel's title."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], fill_in(target["expr"])
