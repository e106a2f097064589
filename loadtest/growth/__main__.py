"""`make load-growth`: a curve of everything that grows; writes GROWTH.md and plots/; exits 1 on a missed bar."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Figure
from loadtest.ground import Ground
from loadtest.growth.changes import measure_changes
from loadtest.growth.curve import Curve
from loadtest.growth.plan import FULL, QUICK, Plan
from loadtest.growth.reviews import list_all, measure_worlds
from loadtest.growth.write import make_plot, write_growth
from loadtest.load import get_wrk
from loadtest.machine import describe_machine
from loadtest.plot import draw
from loadtest.verb import measure_in_folder, read_quick
from loadtest.world_files import write_world

_FOLDER: Final = Path(__file__).parents[1]


def main() -> int:
    """Measure, write the results, and give the exit code."""
    plan = QUICK if read_quick("loadtest.growth", __doc__, "GROWTH.md") else FULL
    return measure_in_folder("load-growth", lambda folder: _measure(folder, plan))


def _measure(folder: Path, plan: Plan) -> list[Figure]:
    get_wrk()
    curves, figures = measure_all(Ground(folder), plan)
    text = write_growth(curves, figures, f"{datetime.now(UTC):%Y-%m-%d}", describe_machine())
    if plan is FULL:
        write_results(text, curves)
    print(text)
    return figures


def measure_all(ground: Ground, plan: Plan) -> tuple[list[Curve], list[Figure]]:
    """Measure every curve: the world first, while the gates are as they started, and changes last."""
    ground.write_pair()
    write_world(ground.world)
    with ground.run_gate() as gate:
        worlds, figures = measure_worlds(ground, gate, plan)
        curves = [worlds, *list_all(ground, gate, plan), measure_changes(ground.world, gate, plan)]
    return curves, figures


def write_results(text: str, curves: Sequence[Curve]) -> None:
    """Write the page and its pictures."""
    (_FOLDER / "plots").mkdir(exist_ok=True)
    for curve in curves:
        draw(make_plot(curve), _FOLDER / "plots" / f"growth-{curve.slug}.svg")
    (_FOLDER / "GROWTH.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
