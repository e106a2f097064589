"""`make load-growth`: a curve of everything that grows; writes GROWTH.md and plots/; exits 1 on a missed bar."""

import argparse
import signal
import subprocess
import sys
import tempfile
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
from loadtest.servers import ServerError
from loadtest.world_files import write_world

_FOLDER: Final = Path(__file__).parents[1]


def main() -> int:
    """Measure, write the results, and give the exit code: 2 where it could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.growth", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few short rounds, to try it out; nothing is written")
    plan = QUICK if parser.parse_args().quick else FULL
    get_wrk()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that the servers end too
    try:
        with tempfile.TemporaryDirectory(prefix="patchgate-growth-") as folder:
            curves, figures = measure_all(Ground(Path(folder)), plan)
    except (ServerError, subprocess.SubprocessError) as error:
        print(f"make load-growth: {error}", file=sys.stderr)
        return 2
    text = write_growth(curves, figures, f"{datetime.now(UTC):%Y-%m-%d}", describe_machine())
    if plan is FULL:
        write_results(text, curves)
    print(text)
    return 0 if all(figure.is_met for figure in figures) else 1


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
