"""Helm, as people use it, and the chart rendered with it."""

import pytest

from tests.chart.helm import Helm
from tests.chart.rendering import Chart
from tests.groups import leave_out
from tools.build import find_programs
from tools.cache import find_cache
from tools.modules import HELM


@pytest.fixture(scope="session")
def helm() -> Helm:
    programs = find_programs(HELM, find_cache())
    if programs is None:
        leave_out("helm is not built here; make tools does")
    return Helm(programs / "helm")


@pytest.fixture(scope="session")
def chart(helm: Helm) -> Chart:
    return Chart(helm)
