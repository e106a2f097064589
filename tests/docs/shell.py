"""Runs the blocks of a page as somebody who has just cloned the repository would: in order, in one shell."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.blocks import ROOT, RUN, RUN_BY_CI, find_needs, read_blocks, write_script
from tests.ports import choose_ports

_COPIED = ("app", "charts", "docs", "examples", "requirements", "tools")
_FILES = ("Makefile", "README.md", "pyproject.toml", "certs/README.md")
_SECONDS = 300
_DEFAULT_PORTS = ("8443", "8080")


def lay_out_checkout(directory: Path) -> None:
    """Lay out the files of the repository, with the environment that `make` has made there.

    Raises CalledProcessError where that is older than what it is made from: a block's `make` would empty it.
    """
    for name in _COPIED:
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copy2(ROOT / name, directory / name)
    (directory / ".venv").symlink_to(ROOT / ".venv")
    subprocess.run(["/usr/bin/env", "make", "--question", ".venv/.ready"], cwd=directory, check=True)


def run_page(page: str, directory: Path, environment: Mapping[str, str], programs: list[Path]) -> None:
    """Run the blocks of a page, and look at what they print. Ports are free ones, as another test may have the usual.

    environment: beside this process's. programs: folders that PATH begins with.
    """
    blocks = [block for block in read_blocks(page) if block.kind == RUN and block.text != RUN_BY_CI]
    lay_out_checkout(directory)
    (directory / "home").mkdir()
    path = os.pathsep.join([*map(str, programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PATH": path, "HOME": str(directory / "home"), "ONCE": "1", "PATCHGATE_DRAIN_SECONDS": "0"}
    if "demo" in find_needs(blocks):
        demo = [sys.executable, "examples/demo/run.py", "--once"]
        subprocess.run(demo, cwd=directory, check=True, capture_output=True, timeout=_SECONDS)
    script = write_script(blocks)
    for usual, free in zip(_DEFAULT_PORTS, choose_ports(len(_DEFAULT_PORTS)), strict=True):
        script = re.sub(rf"(?<=:){usual}\b", str(free), script)
        own |= {"PATCHGATE_LISTEN" if usual == "8443" else "PATCHGATE_OPS_LISTEN": f"127.0.0.1:{free}"}
    _run(script, directory, {**_drop_make(os.environ), **own, **environment})
    for number, block in enumerate(blocks):
        if block.shows:
            printed = (directory / f"out.{number}").read_text(encoding="utf-8")
            assert without_times(printed) == without_times(block.shows), block.place


def _drop_make(environment: Mapping[str, str]) -> dict[str, str]:
    """Drop what `make` hands down to a `make` within it, which would say so in what it prints."""
    return {name: value for name, value in environment.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def without_times(text: str) -> str:
    """Take out of a text what differs from one hour, or one machine, to the next."""
    text = re.sub(r"Port \d+ is taken.*\n", "", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r"\b\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min)\b)?", "DURATION", text)
    return re.sub(r" {2,}", "  ", re.sub(r"-patched-\d{8}", "-patched-DATE", text)).strip()


def _run(script: str, directory: Path, environment: Mapping[str, str]) -> None:
    """Run a script, and end with it whatever it left running."""
    with (directory / "said").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            ["/usr/bin/env", "bash", "-c", f"trap 'kill $(jobs -p) 2>/dev/null || :' EXIT\n{script}"],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        errors.seek(0)
        assert process.returncode == 0, errors.read()[-3000:]
