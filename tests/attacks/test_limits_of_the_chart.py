"""The memory in which these attacks run is what the chart gives the gate."""

from pathlib import Path

import yaml

from tests.attacks.conftest import MEMORY_LIMIT_BYTES

VALUES = Path(__file__).parents[2] / "charts/patchgate/values.yaml"


def test_the_gate_of_these_attacks_has_the_memory_that_the_chart_gives_it() -> None:
    values = yaml.load(VALUES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert values["gate"]["resources"]["limits"]["memory"] == f"{MEMORY_LIMIT_BYTES // 2**20}Mi"
