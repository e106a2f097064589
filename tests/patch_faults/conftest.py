"""A proxy before the registry, a BuildKit that knows both, and one earlier approval that every test starts from."""

import itertools
import os
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.groups import is_ci
from tests.patch.bench import Bench, Debian, Programs
from tests.patch.buildkit import BuildKit, run_buildkit
from tests.patch.conftest import debian, programs, pytest_runtest_makereport, registry  # noqa: F401 -- fixtures, a hook
from tests.patch.registry import Registry
from tests.patch_faults.http_proxy import Proxy, run_proxy
from tests.patch_faults.points_of_the_day import choose_points
from tests.patch_faults.scene import Scene, Start, make_start

HERE = Path(__file__).parent
CHOSEN = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def proxy(registry: Registry) -> Iterator[Proxy]:  # noqa: F811 -- a fixture
    """Before the registry; what a test tells it to do ends with the test."""
    with run_proxy(f"http://{registry.address}") as running:
        yield running


@pytest.fixture(scope="session")
def buildkit(
    programs: Programs,  # noqa: F811
    registry: Registry,  # noqa: F811
    proxy: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BuildKit]:
    """The BuildKit that all share: no test may end it."""
    known = [registry.address, proxy.address]
    with run_buildkit(programs.buildkit, tmp_path_factory.mktemp("buildkit"), known, registry.address) as running:
        yield running


@pytest.fixture(scope="session")
def start(  # noqa: PLR0917 -- all that is there
    programs: Programs,  # noqa: F811
    registry: Registry,  # noqa: F811
    buildkit: BuildKit,
    debian: Debian,  # noqa: F811
    proxy: Proxy,
    tmp_path_factory: pytest.TempPathFactory,
) -> Start:
    return make_start(Bench(programs, registry, buildkit, debian, tmp_path_factory.mktemp("start")), proxy)


@pytest.fixture
def bench(start: Start, tmp_path: Path) -> Bench:
    known = start.bench
    return Bench(known.programs, known.registry, known.buildkit, known.debian, tmp_path)


@pytest.fixture
def scene(start: Start, bench: Bench, proxy: Proxy) -> Iterator[Scene]:
    """Two images, each with an approval; one of them has a finding since."""
    made = Scene.make(start, bench, proxy)
    yield made
    made.clear()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave three points of each table, where CI runs them all the year; what is left out is said, and is no skip."""
    if not is_ci() or os.environ.get("ALL"):
        return
    day = datetime.now(UTC).timetuple().tm_yday
    tables: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and item.path.is_relative_to(HERE) and hasattr(item, "callspec"):
            tables[item.originalname].append(item)
    chosen = {name: choose_points(table, day) for name, table in tables.items()}
    left_out = set(itertools.chain(*tables.values())) - set(itertools.chain(*chosen.values()))
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))
    config.stash[CHOSEN] = [
        f"{name}: of {len(tables[name])} points, day {day} has {', '.join(_name_point(item) for item in points)}"
        for name, points in chosen.items()
    ]


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Say which points were chosen."""
    chosen = config.stash.get(CHOSEN, [])
    return [*chosen, "ALL=1 runs every point"] if chosen else []


def _name_point(item: pytest.Item) -> str:
    return item.name.partition("[")[2].removesuffix("]")
