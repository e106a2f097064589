"""An answer that cannot be given is no verdict: exit code 2, and a line that says so where anybody listens."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import run_patchgate
from tests.world import FIXTURES

SOURCE = str(FIXTURES / "configmaps")
COMMAND = [sys.executable, "-m", "patchgate", "check", "--source", SOURCE, "--now", "2026-05-09T12:00:00Z"]


def check(*arguments: str, **streams: Any) -> "subprocess.CompletedProcess[bytes]":  # noqa: ANN401 -- as subprocess has it
    return subprocess.run([*COMMAND, *arguments], stderr=subprocess.PIPE, check=False, timeout=180, **streams)


@pytest.mark.parametrize("images", [1, 2000], ids=["said at the end", "said on the way"])
def test_a_reader_that_has_enough_ends_the_command_quietly(images: int) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = check(*(f"nginx:{number}" for number in range(images)), stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (2, b"")


def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        done = check("nginx", stdout=full)
    assert (done.returncode, done.stderr) == (
        2,
        b"patchgate: cannot write the answer: [Errno 28] No space left on device\n",
    )


def test_an_answer_that_the_terminal_cannot_show_is_said() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = check("nginx:ü", env=environment, stdout=subprocess.DEVNULL)
    assert done.returncode == 2
    assert done.stderr.startswith(b"patchgate: cannot write the answer: 'ascii' codec can't encode character")
    assert done.stderr.count(b"\n") == 1


def test_a_defect_is_no_verdict(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("patchgate.cli.check.load_snapshot", fail)
    code, out, err = run_patchgate(capsys, "check", "nginx", "--source", SOURCE)
    assert (code, out) == (2, "")
    assert "RuntimeError: a defect" in err
    assert err.endswith("patchgate: a defect of patchgate, please report it with the lines above\n")
