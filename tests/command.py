"""Runs the command line in this process, for the tests of its commands."""

import io
import sys

import pytest

from patchgate.cli import run


def run_patchgate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Run the command; gives its exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    return ended.value.code, *capsys.readouterr()


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: str | bytes) -> None:
    """Give the command standard input."""
    data = content.encode() if isinstance(content, str) else content
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
