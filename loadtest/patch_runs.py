"""Times a run of the patcher, or of the article's order, over images that were just pushed, with its own BuildKit."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from loadtest.peers.article_order import ArticleOrder
from tests.patch.bench import PACKAGES, Bench, Debian, Programs
from tests.patch.buildkit import run_buildkit
from tests.patch.registry import Registry
from tests.patch.site import Run, Site

_RUN_SECONDS: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Times:
    """A run, the same again with nothing new, and once more with a new database.

    Attributes:
        first_seconds, second_seconds, third_seconds: wall time of the command.
        second_requests: what the registry was asked in the second run, an image.
    """

    first_seconds: float
    second_seconds: float
    third_seconds: float
    second_requests: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What every run has: the programs, one registry, the images' content.

    Attributes:
        folder: a new one, for files.
        numbers: of runs, so that each has its own repositories.
    """

    programs: Programs
    registry: Registry
    debian: Debian
    folder: Path
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def time_runs(self, images: int, jobs: int) -> Times:
        """Time a first, a second and a third run, so many images side by side."""
        with self._open_bench() as bench:
            site = _make_site(bench, self._push(bench, images))
            first, _ = _time_run(site, jobs, "patched")
            second, run = _time_run(site, jobs, "unchanged")
            newer = bench.write_database(bench.facts, datetime.now(UTC) - timedelta(seconds=1))
            third, rescan = _time_run(replace(site, database=newer), jobs, "unchanged")
            if len(rescan.requests) <= len(run.requests):  # a scan reads layers
                raise ValueError(f"nothing was scanned again: {rescan.text}")
        return Times(first, second, third, len(run.requests) / images)

    def time_shards(self, images: int, jobs: int) -> float:
        """Time both shards of a first run, side by side on one list; each has a BuildKit."""
        with self._open_bench() as bench, self._open_bench() as other:
            site = _make_site(bench, self._push(bench, images))
            pair = (site, replace(site, bench=other))
            began = time.monotonic()
            with ExitStack() as running:
                started = [
                    running.enter_context(
                        each.start(f"--jobs={jobs}", JOB_COMPLETION_INDEX=str(index), JOB_COMPLETIONS=str(len(pair)))
                    )
                    for index, each in enumerate(pair)
                ]
                runs = [site.finish(process) for process in started]
            seconds = time.monotonic() - began
        results = [result for run in runs for result in run.results.values()]
        if results != ["patched"] * images:
            raise ValueError(f"not all patched: {[run.text for run in runs]}")
        return seconds

    def time_article(self, images: int) -> tuple[float, float]:
        """Time the article's loop, and the same again: it knows nothing of the run before."""
        with self._open_bench() as bench:
            pushed = self._push(bench, images)
            cache = bench.write_database(bench.facts)
            programs = self.programs
            order = ArticleOrder(programs.trivy, programs.copa, bench.buildkit.address, cache, bench.make_folder())
            return _time_loop(order, pushed), _time_loop(order, pushed)

    def _push(self, bench: Bench, images: int) -> list[str]:
        run, roots = next(self.numbers), list(PACKAGES)
        return [bench.push(roots[number % len(roots)], f"run-{run}/app-{number}", "1.0") for number in range(images)]

    @contextmanager
    def _open_bench(self) -> Iterator[Bench]:
        folder = self.folder / f"bench-{next(self.numbers)}"
        (folder / "buildkit").mkdir(parents=True)
        registry = self.registry
        with run_buildkit(
            self.programs.buildkit, folder / "buildkit", [registry.address], registry.address
        ) as buildkit:
            yield Bench(self.programs, registry, buildkit, self.debian, folder)


def _time_loop(order: ArticleOrder, images: list[str]) -> float:
    began = time.monotonic()
    patched = order.patch_all(images, "-patched")
    seconds = time.monotonic() - began
    if len(patched) != len(images):
        raise ValueError(f"not all patched: {patched}")
    return seconds


def _make_site(bench: Bench, images: list[str]) -> Site:
    site = replace(Site.make(bench, bench.write_database(bench.facts)), run_seconds=_RUN_SECONDS)
    site.list_images(*images)
    return site


def _time_run(site: Site, jobs: int, result: str) -> tuple[float, Run]:
    mark = site.bench.registry.mark()
    began = time.monotonic()
    with site.start(f"--jobs={jobs}") as process:
        run = site.finish(process)
    seconds = time.monotonic() - began
    if run.exit_code or set(run.results.values()) != {result}:
        raise ValueError(f"not all {result}: {run.text}")
    return seconds, replace(run, requests=site.bench.registry.read_requests(mark))
