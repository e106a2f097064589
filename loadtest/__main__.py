"""`make load`: measures, writes RESULTS.md, and exits 1 where a bar is missed, 2 where it could not be measured."""

import argparse
import sys
from pathlib import Path
from typing import Final

from loadtest.change import measure_change
from loadtest.figure import Figure
from loadtest.ground import Ground, run_all
from loadtest.load import get_wrk
from loadtest.machine import describe_programs
from loadtest.peers.build import build_controller_runtime
from loadtest.plan import FULL, QUICK, Plan
from loadtest.results import Results
from loadtest.scale import measure_scale
from loadtest.speed import measure_speed
from loadtest.verb import measure_in_folder
from loadtest.world_files import IMAGES

_RESULTS: Final = Path(__file__).parent / "RESULTS.md"
_SECTIONS: Final = ("scale", "change", "speed")


def main() -> int:
    """Measure, write the results, and give the exit code."""
    arguments = read_arguments()
    return measure_in_folder("load", lambda folder: _measure(folder, arguments))


def _measure(folder: Path, arguments: argparse.Namespace) -> list[Figure]:
    plan = QUICK if arguments.quick else FULL
    results = Results()
    if "scale" in arguments.only:
        results.scale = measure_scale()
    if {"speed", "change"} & set(arguments.only):
        measure_servers(results, Ground(folder), plan, arguments.only)
    text = results.write()
    if plan is FULL and set(arguments.only) == set(_SECTIONS):
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return results.figures


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="few short rounds, to try it out; RESULTS.md stays as it is"
    )
    parser.add_argument(
        "--only", nargs="+", choices=_SECTIONS, default=_SECTIONS, help="these alone; RESULTS.md stays as it is"
    )
    return parser.parse_args()


def measure_servers(results: Results, ground: Ground, plan: Plan, sections: list[str]) -> None:
    """Measure what needs servers: a change first, while the gate is as it started."""
    get_wrk()
    build_controller_runtime()
    results.programs = describe_programs()
    results.world = f"{IMAGES:,} images in {ground.prepare()} ConfigMaps"
    with run_all(ground) as servers:
        if "change" in sections:
            results.change = measure_change(ground, servers["gate"], plan)
        if "speed" in sections:
            results.rows, results.speed = measure_speed(ground, servers, plan)


if __name__ == "__main__":
    sys.exit(main())
