"""Each alert by itself, by promtool: it fires when it should, and does not when it should not."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.helm import CHART
from tests.prometheus.alert_cases import CASES, Case

FILE = CHART / "files" / "alerts.yaml"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load(FILE.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}


def run_promtool(promtool: Path, *arguments: str) -> str:
    """Run promtool; gives what it found, empty if nothing."""
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, timeout=300, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def write_test(case: Case) -> dict[str, Any]:
    """Write a case in promtool's words. What fires is asked of ALERTS, so that no text is repeated."""
    firing = f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) # {case.name}'
    samples = [{"labels": "{}", "value": case.firing}] if case.firing else []
    return {
        "interval": f"{case.step_minutes}m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [{"expr": firing, "eval_time": f"{case.minutes}m", "exp_samples": samples}],
    }


def find_wrong(promtool: Path, folder: Path, cases: Iterable[Case]) -> str:
    """Test all cases at once; gives what promtool found, empty if nothing."""
    files = []
    for step, those in groupby(sorted(cases, key=lambda case: case.step_minutes), key=lambda case: case.step_minutes):
        files.append(folder / f"{step}.yaml")
        tests = [write_test(case) for case in those]
        content = {"rule_files": [str(FILE)], "evaluation_interval": f"{step}m", "tests": tests}
        files[-1].write_text(yaml.safe_dump(content), encoding="utf-8")
    return run_promtool(promtool, "test", "rules", *map(str, files))


@pytest.fixture(scope="module")
def found(promtool: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What promtool found wrong, all cases in one run of it."""
    return find_wrong(promtool, tmp_path_factory.mktemp("alerts"), CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_alert_fires_when_it_should(found: str, case: Case) -> None:
    assert f'# {case.name}"' not in found, found


def test_promtool_finds_nothing_wrong(found: str) -> None:
    assert found == ""


def test_a_case_that_is_not_so_is_found_by_its_name(promtool: Path, tmp_path: Path) -> None:
    wrong = [replace(case, firing=1 - case.firing) for case in CASES]
    said = find_wrong(promtool, tmp_path, wrong)
    assert [case.name for case in wrong if f'# {case.name}"' not in said] == []


def test_every_alert_is_shown_firing_and_not_firing() -> None:
    assert {case.alert for case in CASES if case.firing} == ALERTS.keys()
    assert {case.alert for case in CASES if not case.firing} == ALERTS.keys()


def test_promtool_finds_nothing_to_say_of_the_file(promtool: Path) -> None:
    assert run_promtool(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(FILE)) == ""


def test_a_rule_that_is_wrong_would_be_found(promtool: Path, tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8").replace("patchgate_stale_images", "patchgate_stale_images{")
    (tmp_path / "alerts.yaml").write_text(text, encoding="utf-8")
    assert "parse error" in run_promtool(promtool, "check", "rules", str(tmp_path / "alerts.yaml"))


def test_those_that_ask_for_a_namespace_ask_for_ours() -> None:
    for name, rule in ALERTS.items():
        selectors = re.findall(r"\b(?:patchgate|kube)_\w+\{([^}]*)\}", rule["expr"])
        assert all('namespace="copa-system"' in selector for selector in selectors), name
