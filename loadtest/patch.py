"""`make load-patch`: what a run of the patcher takes beside the article's order, on the real programs; writes PATCH.md.

Ten images of three package sets. Both sides take turns, each with a BuildKit that remembers nothing, and push to one
registry on this machine. Needs root on Debian, as the tests of patching do.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from loadtest.figure import Bar, Figure, divide, summarize
from loadtest.machine import describe_machine
from loadtest.peers.article_order import ArticleOrder
from loadtest.results import write_figures
from tests.patch.apt_updates import Apt
from tests.patch.bench import CLEAN, PACKAGES, TOOLING, TOOLING_TAGS, Bench, Debian, Programs, find_built, make_debian
from tests.patch.buildkit import run_buildkit
from tests.patch.debian_suites import read_suites
from tests.patch.oci_layout import write_layout
from tests.patch.registry import Registry, run_registry
from tests.patch.site import Site
from tools.cache import find_cache

_RESULTS: Final = Path(__file__).parent / "PATCH.md"
_HEAD: Final = """# Patching

By `make load-patch` on {date}: {machine}.
Ten images of three package sets, real Trivy, Copa, BuildKit and registry, all on this machine.
The article's order is its loop, repaired so that it works: `loadtest/peers/article_order.py`. It scans no result again;
patchgate scans each, and tags only what passed.
"""
_IMAGES: Final = 10
_ROUNDS: Final = 3
_BAR: Final = Bar(0.7)


def main() -> int:
    """Measure, write the results, and give the exit code: 1 where a bar is missed, 2 where the programs are missing."""
    programs = find_built(find_cache())
    if programs is None:
        print("Trivy, Copa and BuildKit are not built here; make tools does", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        figures = list(measure(programs, Path(folder)))
    head = _HEAD.format(date=f"{datetime.now(UTC):%Y-%m-%d}", machine=describe_machine())
    _RESULTS.write_text(head + write_figures(figures), encoding="utf-8")
    print(_RESULTS.read_text(encoding="utf-8"))
    return 0 if all(figure.is_met for figure in figures) else 1


def measure(programs: Programs, folder: Path) -> Iterator[Figure]:
    """Measure first runs of both sides in turns, and of ours the second run."""
    suites = read_suites()
    debian = make_debian(find_cache(), suites, Apt.make(folder / "apt", suites))
    ours: list[float] = []
    again: list[float] = []
    article: list[float] = []
    shards: list[float] = []
    with run_registry(_make(folder / "registry")) as registry:
        registry.push(write_layout(folder / "tooling", debian.roots[CLEAN]), TOOLING, *TOOLING_TAGS)
        for number in range(_ROUNDS):
            with _open_bench(programs, registry, debian, _make(folder / f"ours-{number}")) as bench:
                site = Site.make(bench, bench.write_database(bench.facts))
                site.list_images(*_push(bench, f"ours-{number}"))
                ours.append(_time_run(site, "patched"))
                again.append(_time_run(site, "unchanged"))
            with (
                _open_bench(programs, registry, debian, _make(folder / f"shard-0-{number}")) as bench,
                _open_bench(programs, registry, debian, _make(folder / f"shard-1-{number}")) as other,
            ):
                shards.append(_time_shards(bench, other, _push(bench, f"shards-{number}")))
            with _open_bench(programs, registry, debian, _make(folder / f"article-{number}")) as bench:
                article.append(_time_article(bench, _push(bench, f"article-{number}")))
    detail = f"{_median(ours):.0f} s / {_median(article):.0f} s, {_ROUNDS} rounds"
    yield divide("first run ÷ the article's order", ours, article, detail, bar=_BAR)
    detail = (
        f"{_median(shards):.0f} s / {_median(ours):.0f} s, each shard with a BuildKit of its own, on the same cores"
    )
    yield divide("two shards ÷ one run", shards, ours, detail)
    yield summarize("second run, nothing new", again, "s", f"{_IMAGES} images, two HEADs each")


def _time_run(site: Site, result: str) -> float:
    began = time.monotonic()
    run = site.patch()
    seconds = time.monotonic() - began
    if run.exit_code or set(run.results.values()) != {result}:
        raise ValueError(f"not all {result}: {run.text}")
    return seconds


def _time_shards(bench: Bench, other: Bench, images: list[str]) -> float:
    """Time both shards of a run, side by side on one list; each has a BuildKit."""
    site = Site.make(bench, bench.write_database(bench.facts))
    site.list_images(*images)
    pair = (site, replace(site, bench=other))
    began = time.monotonic()
    with ExitStack() as running:
        started = [
            running.enter_context(each.start(JOB_COMPLETION_INDEX=str(index), JOB_COMPLETIONS=str(len(pair))))
            for index, each in enumerate(pair)
        ]
        runs = [site.finish(process) for process in started]
    seconds = time.monotonic() - began
    results = [result for run in runs for result in run.results.values()]
    if results != ["patched"] * len(images):
        raise ValueError(f"not all patched: {[run.text for run in runs]}")
    return seconds


def _time_article(bench: Bench, images: list[str]) -> float:
    programs, cache = bench.programs, bench.write_database(bench.facts)
    order = ArticleOrder(programs.trivy, programs.copa, bench.buildkit.address, cache, bench.make_folder())
    began = time.monotonic()
    pushed = order.patch_all(images, "-patched")
    seconds = time.monotonic() - began
    if len(pushed) != len(images):
        raise ValueError(f"not all patched: {pushed}")
    return seconds


def _push(bench: Bench, name: str) -> list[str]:
    roots = list(PACKAGES)
    return [bench.push(roots[number % len(roots)], f"{name}/app-{number}", "1.0") for number in range(_IMAGES)]


@contextmanager
def _open_bench(programs: Programs, registry: Registry, debian: Debian, folder: Path) -> Iterator[Bench]:
    buildkit_folder = _make(folder / "buildkit")
    with run_buildkit(programs.buildkit, buildkit_folder, [registry.address], registry.address) as buildkit:
        yield Bench(programs, registry, buildkit, debian, folder)


def _make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
