"""Draws docs/images/dashboard.svg: `make dashboard-picture`. Every number in it is a real Prometheus' answer."""

import math
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.chart.helm import Helm
from tests.plane.control_plane import run_plane
from tests.prometheus.dashboard import DASHBOARD, fill_in
from tests.prometheus.drawing import Line, Panel, draw
from tests.prometheus.scene import Scene, run_scene
from tests.prometheus.server import Prometheus, Series
from tools.build import build
from tools.cache import find_cache
from tools.modules import ETCD, HELM, KUBERNETES

PICTURE: Final = Path(__file__).parents[2] / "docs" / "images" / "dashboard.svg"
_TRAFFIC_SECONDS: Final = 120.0
_STEP_SECONDS: Final = 4.0
_PROMETHEUS: Final = Path("/usr/bin/prometheus")


def main() -> int:
    """Run the scene for a while, and draw it."""
    cache = find_cache()
    etcd, kubernetes, helm = (build(module, cache) for module in (ETCD, KUBERNETES, HELM))
    with tempfile.TemporaryDirectory(prefix="dashboard-") as scratch:
        plane_folder, folder = Path(scratch) / "plane", Path(scratch) / "prometheus"
        plane_folder.mkdir()
        folder.mkdir()
        with (
            run_plane(kubernetes, etcd, plane_folder) as plane,
            run_scene(plane, Helm(helm / "helm"), _PROMETHEUS, folder) as scene,
        ):
            began = time.time()
            _keep_busy(scene)
            panels = [_ask(scene.prometheus, panel, began) for panel in DASHBOARD["panels"]]
    PICTURE.parent.mkdir(exist_ok=True)
    draw(panels, PICTURE)
    return 0


def _keep_busy(scene: Scene) -> None:
    ends = time.monotonic() + _TRAFFIC_SECONDS
    while time.monotonic() < ends:
        scene.make_traffic()


def _ask(prometheus: Prometheus, panel: dict[str, Any], began: float) -> Panel:
    lines = [
        _make_line(series, target["legendFormat"], began)
        for target in panel["targets"]
        for series in prometheus.query_range(fill_in(target["expr"], "20s"), began, time.time(), _STEP_SECONDS)
    ]
    defaults = panel["fieldConfig"]["defaults"]
    is_stacked = defaults.get("custom", {}).get("stacking", {}).get("mode") == "normal"
    return Panel(panel["title"], panel["type"], defaults["unit"], is_stacked, panel["gridPos"], lines)


def _make_line(series: Series, legend: str, began: float) -> Line:
    labels: dict[str, str] = series["metric"]
    points = [(at - began, float(value)) for at, value in series["values"] if math.isfinite(float(value))]
    text = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    return Line(text, [x for x, _ in points], [y for _, y in points])


if __name__ == "__main__":
    sys.exit(main())
