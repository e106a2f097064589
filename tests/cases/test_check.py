"""Files as people and tools write them, judged by `patchgate check -f` in the demo's world: `check/`, `check.yaml`.

Each case is a file or directory of `check/`, and has an entry in `check.yaml`: the exit code, the workloads judged,
what was not judged, and the faults. `WHERE` in it is the case's path.
"""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
import yaml

from tests.command import run_patchgate

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
NOW: Final = datetime(2026, 5, 9, 12, tzinfo=UTC)
CASES: Final[dict[str, dict[str, Any]]] = yaml.safe_load((HERE / "check.yaml").read_text(encoding="utf-8"))


def load_layout() -> ModuleType:
    """Load the demo's own module, which is no package."""
    spec = importlib.util.spec_from_file_location("demo_layout", ROOT / "examples" / "demo" / "layout.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's ConfigMaps, their times laid around NOW."""
    folder = tmp_path_factory.mktemp("demo")
    load_layout().lay_out(ROOT / "examples" / "demo" / "configmaps", folder, NOW)
    return folder


def test_each_case_has_its_expected_result() -> None:
    assert sorted(CASES) == sorted(path.name for path in (HERE / "check").iterdir())


@pytest.mark.parametrize("name", CASES)
def test_a_case_is_judged_as_expected(name: str, demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where, case = HERE / "check" / name, CASES[name]
    source = ("--source", str(demo), "--now", NOW.isoformat())
    code, out, err = run_patchgate(capsys, "check", *source, "-f", str(where), "-o", "json")
    answer = json.loads(out)
    assert [f"{each['workload']}: {each['reason']}" for each in answer["images"]] == case["judged"]
    assert [f"{each['count']} {each['what']}: {each['reason']}" for each in answer["not_judged"]] == [
        text.replace("WHERE", str(where)) for text in case.get("not_judged", [])
    ]
    faults = [f"{each['where']}: {each['reason']}" for each in answer["faults"]]
    assert faults == [text.replace("WHERE", str(where)) for text in case.get("faults", [])]
    assert (code, answer["allowed"]) == (case["exit"], case["exit"] == 0)
    assert err.count("\n") == len(answer["not_judged"]) + len(faults)
