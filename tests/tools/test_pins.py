"""What is pinned is installed as it stands: no resolver may look past the pins at what was released since."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]


@pytest.mark.parametrize("file", ["Dockerfile", "tools/venv.sh", "tools/go.py"])
def test_pip_resolves_nothing(file: str) -> None:
    lines = [line for line in (_ROOT / file).read_text(encoding="utf-8").splitlines() if "--require-hashes" in line]
    assert lines
    assert all("--no-deps" in line for line in lines), lines


def test_the_pins_are_complete() -> None:
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout
