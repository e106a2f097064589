"""What is skipped: left out for a person, a failure where CI is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = {
    "by a mark": "@pytest.mark.skipif(True, reason='no wind')\ndef test_it(): pass\n",
    "by a test": "def test_it(): pytest.skip('no wind')\n",
    "by a fixture": "@pytest.fixture\ndef kite(): pytest.skip('no wind')\ndef test_it(kite): pass\n",
    "by a module": "pytest.skip('no wind', allow_module_level=True)\ndef test_it(): pass\n",
    "by an import": "pytest.importorskip('no_wind', 'no wind', reason='no wind')\ndef test_it(): pass\n",
}


def run_pytest(folder: Path, test: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    (folder / "pytest.ini").write_text("[pytest]\nxfail_strict = true\n", encoding="utf-8")
    (folder / "test_it.py").write_text(f"import pytest\n{test}", encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.groups", "-p", "no:cacheprovider", "-rs", str(folder)],
        cwd=Path(__file__).parents[2],
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("how", SKIPS)
def test_what_is_skipped_fails_where_ci_is_set(tmp_path: Path, how: str) -> None:
    said = run_pytest(tmp_path, SKIPS[how], CI="true")
    assert said.returncode != 0
    assert "CI must run every test: " in said.stdout
    assert "no wind" in said.stdout
    assert "1 skipped" in run_pytest(tmp_path, SKIPS[how]).stdout


def test_what_is_known_to_fail_is_not_skipped(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, "@pytest.mark.xfail\ndef test_it(): assert False\n", CI="true")
    assert (said.returncode, "1 xfailed" in said.stdout) == (0, True)
