"""examples/kyverno: each suite passes with Kyverno's own command line, offline."""

import re
import subprocess
from pathlib import Path

import pytest

from tools.kyverno_examples import EXAMPLES

SUITES = sorted(EXAMPLES.glob("*/suites/*/kyverno-test.yaml"))
SECONDS = 120.0


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: "/".join(suite.parts[-4:-1:2]))
def test_a_suite_passes(kyverno_programs: Path, tmp_path: Path, suite: Path) -> None:
    done = subprocess.run(
        [kyverno_programs / "kyverno", "test", str(suite.parent)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) tests passed and 0 tests failed", done.stdout)
    assert passed, done.stdout
    assert int(passed[1]) > 0


def test_every_form_has_a_suite() -> None:
    assert {suite.parts[-4] for suite in SUITES} == {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}
