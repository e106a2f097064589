"""`make load-patch`: what a run of the patcher takes beside the article's order, on the real programs; writes PATCH.md.

Ten images and fifty, of three package sets. All sides take turns, each with a BuildKit that remembers nothing, and push
to one registry on this machine. Needs root on Debian, as the tests of patching do.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, divide, summarize
from loadtest.machine import describe_machine
from loadtest.patch_runs import Stage, Times
from loadtest.results import write_figures
from loadtest.servers import ServerError
from loadtest.verb import measure_in_folder
from tests.patch.apt_updates import Apt
from tests.patch.bench import CLEAN, TOOLING, TOOLING_TAGS, Programs, find_built, make_debian
from tests.patch.debian_suites import read_suites
from tests.patch.oci_layout import write_layout
from tests.patch.registry import run_registry
from tools.cache import find_cache

_RESULTS: Final = Path(__file__).parent / "PATCH.md"
_HEAD: Final = """# Patching

By `make load-patch` on {date}: {machine}.
Images of three package sets, `--jobs` of them side by side; real Trivy, Copa, BuildKit, registry, all on this machine.
The article's order is its loop, repaired so that it works: `loadtest/peers/article_order.py`. It scans no result again;
patchgate scans each, and tags only what passed. The second run finds nothing new, the third a new database: what is
approved is scanned again. The article's loop knows nothing of a run before, and patches all anew, with what Trivy and
BuildKit still have of the first time.
"""
_JOBS: Final = (1, 2, 4)
_DEFAULT_JOBS: Final = 4
_ROUNDS: Final = {10: 3, 50: 1}
"""Images → rounds: fifty take long, and only the first ten have a bar."""
_BARS: Final = {10: Bar(0.7)}


@dataclass(slots=True)
class Measured:
    """Of one number of images: a value a round.

    Attributes:
        runs: jobs → first, second and third run.
        article: seconds of the loop, and of the same again.
        shards: seconds.
    """

    images: int
    runs: dict[int, list[Times]] = field(default_factory=lambda: {jobs: [] for jobs in _JOBS})
    article: list[tuple[float, float]] = field(default_factory=list)
    shards: list[float] = field(default_factory=list)

    def write(self) -> Iterator[Figure]:
        """Give the lines of the results."""
        images, bar = f"{self.images} images", _BARS.get(self.images)
        rounds = f"{len(self.article)} rounds" if len(self.article) > 1 else "one round"
        first = {jobs: [each.first_seconds for each in runs] for jobs, runs in self.runs.items()}
        ours, article = first[_DEFAULT_JOBS], [seconds for seconds, _ in self.article]
        for jobs, seconds in first.items():
            yield summarize(f"{images}: first run, --jobs {jobs}", seconds, "s", rounds)
        yield summarize(f"{images}: the article's order", article, "s", rounds)
        yield divide(f"{images}: first run ÷ the article's order", ours, article, _tell(ours, article), bar=bar)
        if self.shards:
            detail = f"{_tell(self.shards, ours[:1])}, each shard with a BuildKit of its own, on the same cores"
            yield divide(f"{images}: two shards ÷ one run", self.shards, ours[:1], detail)
        for jobs, runs in self.runs.items():
            requests = statistics.mean(each.second_requests for each in runs)
            seconds = [each.second_seconds for each in runs]
            told = f"nothing new; {requests:.2f} requests to the registry an image"
            yield summarize(f"{images}: second run, --jobs {jobs}", seconds, "s", told)
        for jobs, runs in self.runs.items():
            told = "a new database: what is approved is scanned again"
            yield summarize(f"{images}: third run, --jobs {jobs}", [each.third_seconds for each in runs], "s", told)
        again = [seconds for _, seconds in self.article]
        yield summarize(f"{images}: the article's order again", again, "s", "it patches every image anew")
        third = [each.third_seconds for each in self.runs[_DEFAULT_JOBS]]
        yield divide(f"{images}: third run ÷ the article's order again", third, again, _tell(third, again))


def main() -> int:
    """Measure, write the results, and give the exit code."""
    sizes = read_sizes()
    return measure_in_folder("load-patch", lambda folder: _measure(folder, sizes))


def _measure(folder: Path, sizes: list[int]) -> list[Figure]:
    programs = find_built(find_cache())
    if programs is None:
        raise ServerError("Trivy, Copa and BuildKit are not built here; make tools does")
    figures = list(measure(programs, folder, sizes))
    text = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine()) + write_figures(figures)
    if sizes == list(_ROUNDS):
        _RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return figures


def read_sizes() -> list[int]:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.patch", description=__doc__)
    parser.add_argument("--size", type=int, help="so many images alone; PATCH.md stays as it is")
    size = parser.parse_args().size
    return [size] if size else list(_ROUNDS)


def measure(programs: Programs, folder: Path, sizes: list[int]) -> Iterator[Figure]:
    """Measure one number of images after the other; the smaller the more often."""
    suites = read_suites()
    debian = make_debian(find_cache(), suites, Apt.make(folder / "apt", suites))
    for name in ("registry", "benches"):
        (folder / name).mkdir()
    with run_registry(folder / "registry") as registry:
        registry.push(write_layout(folder / "tooling", debian.roots[CLEAN]), TOOLING, *TOOLING_TAGS)
        stage = Stage(programs, registry, debian, folder / "benches")
        for images in sizes:
            measured = Measured(images)
            for number in range(_ROUNDS.get(images, 1)):
                _measure_round(stage, measured, number)
            yield from measured.write()


def _measure_round(stage: Stage, measured: Measured, number: int) -> None:
    """Measure every side; shards, which the same cores cannot make faster, once."""
    began = time.monotonic()
    for jobs, runs in measured.runs.items():
        runs.append(stage.time_runs(measured.images, jobs))
    measured.article.append(stage.time_article(measured.images))
    if number == 0 and measured.images <= min(_ROUNDS):
        measured.shards.append(stage.time_shards(measured.images, _DEFAULT_JOBS))
    seconds = time.monotonic() - began
    print(f"{measured.images} images, round {number + 1}: {seconds:.0f} s", file=sys.stderr, flush=True)


def _tell(above: list[float], below: list[float]) -> str:
    return f"{statistics.median(above):.0f} s / {statistics.median(below):.0f} s"


if __name__ == "__main__":
    sys.exit(main())
