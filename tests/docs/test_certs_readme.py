"""certs/README.md: its commands of patchgate do what it says, in their order."""

import re
from pathlib import Path

import pytest

from tests.command import run_patchgate

TEXT = (Path(__file__).parents[2] / "certs/README.md").read_text(encoding="utf-8")
COMMANDS = [line.split() for line in re.findall(r"^\.venv/bin/patchgate (certs .+)$", TEXT, re.MULTILINE)]


def test_its_commands_leave_what_the_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        code, out, err = run_patchgate(capsys, *command)
        assert (code, out != "", err) == (0, True, "")
    made = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.*")}
    assert set(re.findall(r"certs/[\w/]+\.(?:crt|key)", TEXT)) <= made
