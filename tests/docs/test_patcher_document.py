"""docs/patcher.md: its results, flags and metrics are those that there are."""

import re
from datetime import UTC, datetime
from pathlib import Path

from patchgate.patcher.metrics_file import write_metrics
from patchgate.patcher.progress import Outcome, Result
from patchgate.patcher.summary import FAILURES, Summary
from tests.cli.test_patch_settings import OPTIONS

TEXT = (Path(__file__).parents[2] / "docs" / "patcher.md").read_text(encoding="utf-8")
NOW = datetime(2026, 5, 9, tzinfo=UTC)


def summarise(*outcomes: Outcome) -> Summary:
    return Summary(outcomes, [], is_noted=True, states={}, began=NOW, ended=NOW, database=NOW)


def test_every_result_is_explained_with_the_exit_code_that_it_leads_to() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| ([01]) \|$", TEXT, re.MULTILINE))
    assert rows == {result.value: str(int(result in FAILURES)) for result in Result}
    for result in Result:
        summary = summarise(Outcome("a", result, ""))
        assert summary.exit_code == int(rows[result.value])


def test_every_flag_that_is_named_is_one() -> None:
    named = set(re.findall(r"--[a-z][a-z-]+", TEXT))
    assert named <= OPTIONS.keys()
    assert "--dry-run" in named


def test_every_series_is_named_and_no_other(tmp_path: Path) -> None:
    write_metrics(tmp_path / "file.prom", summarise())
    written = set(re.findall(r"^# TYPE (\w+)", (tmp_path / "file.prom").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"^\| `(patchgate_\w+)`", TEXT, re.MULTILINE)) == written
