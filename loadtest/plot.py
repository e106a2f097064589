"""Draws curves as SVG, the same bytes for the same values, readable on a light page and on a dark one.

matplotlib is of the group `picture`: the verbs that draw install it, and no test needs it.
"""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from loadtest.plot_data import Plot

_INK: Final = "#123456"  # stand-ins, which the style below takes the place of
_PAPER: Final = "#654321"
_LINES: Final = ("#2f81f7", "#d1691e")  # each readable on both papers
_THEME: Final = (
    "<style>:root{--ink:#1f2328;--paper:#ffffff}"
    "@media(prefers-color-scheme:dark){:root{--ink:#d1d7e0;--paper:#151b23}}</style>"
)
_STYLE: Final = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "patchgate",  # the same names in the file each time
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _INK,
    "axes.facecolor": _PAPER,
    "axes.grid": True,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "figure.facecolor": _PAPER,
    "grid.alpha": 0.2,
    "grid.color": _INK,
    "legend.labelcolor": _INK,
    "text.color": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
}
_INCHES: Final = (6.4, 3.2)


def draw(plot: Plot, file: Path) -> None:
    """Draw it into an SVG file."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=_INCHES, layout="constrained")
        axes = figure.add_subplot()
        for line, colour in zip(plot.lines, _LINES, strict=False):
            shape = {"linestyle": "--"} if line.is_level else {"marker": "o", "markersize": 3}
            axes.plot(line.x, line.y, label=line.legend, color=colour, linewidth=1.5, **shape)
            if line.low:
                axes.fill_between(line.x, line.low, line.high, color=colour, alpha=0.2, linewidth=0)
        _set_axes(axes, plot)
        figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.read_text(encoding="utf-8").replace(_INK, "var(--ink)").replace(_PAPER, "var(--paper)")
    text = text.replace("<defs>", f"{_THEME}\n <defs>", 1)
    file.write_text("".join(f"{line.rstrip()}\n" for line in text.splitlines()), encoding="utf-8")


def _set_axes(axes: Any, plot: Plot) -> None:  # noqa: ANN401 -- matplotlib's
    plain = FuncFormatter(lambda value, _: f"{value:,g}")
    if plot.is_log:
        axes.set_xscale("log")
    if plot.is_steep:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.15 * max(max(line.high or line.y) for line in plot.lines))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    axes.set_title(plot.title, loc="left", fontsize=9, fontweight="bold")
    axes.set_xlabel(plot.x_name)
    axes.set_ylabel(plot.y_name)
    if len(plot.lines) > 1:
        axes.legend(frameon=False)
