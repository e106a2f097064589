"""Prometheus and promtool, as Debian has them, and one scene for the session."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.conftest import helm  # noqa: F401 -- a fixture
from tests.chart.helm import Helm
from tests.groups import leave_out
from tests.plane.conftest import plane, run_own_plane  # noqa: F401 -- fixtures
from tests.plane.control_plane import Plane
from tests.prometheus.scene import Scene, run_scene


def find(program: str) -> Path:
    """Find one of the package's programs."""
    found = shutil.which(program)
    if found is None:
        leave_out(f"{program} is not installed here; make prometheus does, as root on Debian")
    return Path(found)


@pytest.fixture(scope="session")
def promtool() -> Path:
    return find("promtool")


@pytest.fixture(scope="session")
def scene(plane: Plane, helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:  # noqa: F811 -- fixtures
    with run_scene(plane, helm, find("prometheus"), tmp_path_factory.mktemp("prometheus")) as running:
        yield running
