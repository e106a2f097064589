"""Runs the command line in this process, for the tests of its commands."""

import pytest

from patchgate.cli import run


def run_patchgate(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Run the command; gives its exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        run(list(arguments))
    return ended.value.code, *capsys.readouterr()
