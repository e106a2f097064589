"""Go: the machine's where it is new enough, else PyPI's packing of it, in a virtual environment in the cache."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tools.cache import lock

_OLDEST: Final = (1, 26)  # what the modules' go.mod ask for
_PINS: Final = Path(__file__).parent.parent / "requirements" / "go.txt"
_SECONDS: Final = 3600  # of one program: kube-apiserver takes 7 minutes on two quiet cores
_SHOWN_CHARACTERS: Final = 4000


class BuildError(Exception):
    """A program could not be built; the text says what failed and what it said."""


def get_go(cache: Path) -> Path:
    """Get Go, and install it first if need be.

    Raises:
        BuildError: it cannot be installed.
    """
    found = shutil.which("go")
    if found and _read_version(Path(found)) >= _OLDEST:
        return Path(found)
    with lock(cache / "go"):
        return _install(cache / "go" / _PINS.read_text(encoding="utf-8").split(" ")[0].replace("==", "-"))


def run(command: Sequence[str | Path], environment: Mapping[str, str] = os.environ, cwd: Path | None = None) -> str:
    """Run a program, behind whatever else this machine does; give its standard output.

    Raises:
        BuildError: it failed, or took too long.
    """
    nice = [found, "-n", "10"] if (found := shutil.which("nice")) else []
    words = [*nice, *map(str, command)]
    try:
        done = subprocess.run(
            words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(words)}: not done after {_SECONDS} s") from error
    if done.returncode:
        raise BuildError(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr[-_SHOWN_CHARACTERS:]}")
    return done.stdout


def _read_version(go: Path) -> tuple[int, ...]:
    """Read the version that this Go itself has, whatever toolchain a go.mod would have it fetch."""
    try:
        said = run([go, "version"], {**os.environ, "GOTOOLCHAIN": "local"})
    except BuildError:
        return ()
    found = re.search(r"\bgo(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else ()


def _install(venv: Path) -> Path:
    installed = venv / ".installed"
    if not installed.exists():
        run([sys.executable, "-m", "venv", "--clear", venv])
        quiet = ("--quiet", "--disable-pip-version-check")
        run([venv / "bin/pip", "install", *quiet, "--no-deps", "--require-hashes", "-r", _PINS])
        installed.touch()
    return venv / "bin/go"
