"""Draws the dashboard's panels from Prometheus' answers, where Grafana would have them: numbers and lines, no more."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

COLUMNS: Final = 24
"""Of Grafana's grid."""
_CELL_INCHES: Final = (0.62, 0.32)
_STYLE: Final = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "patchgate",  # the same names in the file each time
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "path.simplify_threshold": 0.5,  # pixels that nobody misses
}


@dataclass(frozen=True)
class Line:
    """One series of a panel. x: seconds since the picture began. y: values."""

    legend: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Panel:
    """One panel with its answers. place: Grafana's gridPos. unit: Grafana's name of it."""

    title: str
    kind: str
    unit: str
    is_stacked: bool
    place: dict[str, int]
    lines: Sequence[Line]


def draw(panels: Sequence[Panel], file: Path) -> None:
    """Draw the panels into an SVG file."""
    rows = max(panel.place["y"] + panel.place["h"] for panel in panels)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(COLUMNS * _CELL_INCHES[0], rows * _CELL_INCHES[1]))
        grid = figure.add_gridspec(rows, COLUMNS, wspace=3.2, hspace=1.6, left=0.04, right=0.99, top=0.97, bottom=0.0)
        for panel in panels:
            place = panel.place
            axes = figure.add_subplot(
                grid[place["y"] : place["y"] + place["h"] - 1, place["x"] : place["x"] + place["w"]]
            )
            _draw_number(axes, panel) if panel.kind == "stat" else _draw_lines(axes, panel)
            axes.set_title(panel.title, loc="left", fontsize=8, fontweight="bold")
        figure.savefig(file, format="svg", metadata={"Date": None})


def say(value: float, unit: str) -> str:
    """Say a value as people read it."""
    if unit != "s":
        return f"{value:g}"
    for name, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if value >= seconds:
            return f"{value / seconds:.1f} {name}"
    return f"{value:.1f} s"


def _draw_number(axes: Any, panel: Panel) -> None:  # noqa: ANN401 -- matplotlib's
    axes.axis("off")
    text = say(panel.lines[0].y[-1], panel.unit) if panel.lines else "no data"
    axes.text(0.5, 0.4, text, ha="center", va="center", fontsize=18, transform=axes.transAxes)


def _draw_lines(axes: Any, panel: Panel) -> None:  # noqa: ANN401 -- matplotlib's
    scale, unit = _choose_scale(panel)
    lines = sorted(panel.lines, key=lambda line: line.legend)
    if panel.is_stacked and lines:
        by_x = [dict(zip(line.x, line.y, strict=True)) for line in lines]
        times = sorted({x for each in by_x for x in each})
        heights = [[each.get(x, 0.0) / scale for x in times] for each in by_x]
        axes.stackplot(times, *heights, labels=[line.legend for line in lines], alpha=0.7)
    else:
        for line in lines:
            axes.plot(line.x, [y / scale for y in line.y], label=line.legend, linewidth=1.2)
    axes.set_ylim(0, 1.4 * axes.get_ylim()[1])  # room for the legend
    axes.set_xlabel("seconds", fontsize=6, labelpad=0)
    axes.set_ylabel(unit, fontsize=6)
    axes.legend(fontsize=5.5, loc="upper left", ncols=1 + len(lines) // 5, frameon=True, framealpha=0.6)


def _choose_scale(panel: Panel) -> tuple[float, str]:
    """Choose what the axis counts in: seconds may be milliseconds or days."""
    if panel.unit != "s":
        return 1, {"reqps": "a second"}.get(panel.unit, "")
    most = max((y for line in panel.lines for y in line.y), default=0)
    scales = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))
    return next(((float(scale), name) for scale, name in scales if most >= scale), (0.001, "milliseconds"))
