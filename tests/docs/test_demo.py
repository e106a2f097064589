"""`make run`: what the demo prints, that its lines work as they are pasted, and that it ends cleanly."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.ports import choose_ports

SECONDS = 180
SHELLS = [shell for shell in ("sh", "bash", "zsh") if shutil.which(shell)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The examples in a directory whose name a shell would split and expand."""
    directory = tmp_path / "a clone [1]"
    shutil.copytree(ROOT / "examples", directory / "examples")
    return directory


@pytest.fixture
def demo(checkout: Path) -> Iterator["subprocess.Popen[str]"]:
    (port,) = choose_ports(1)
    with subprocess.Popen(
        [sys.executable, "examples/demo/run.py", "--port", str(port)],
        cwd=checkout,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        yield process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and its gate, whatever the test did to it


def read_until(demo: "subprocess.Popen[str]", last: str) -> list[str]:
    """Read what it prints up to a line that begins so."""
    assert demo.stdout
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line.rstrip("\n"))
        if line.lstrip().startswith(last):
            return lines
    raise AssertionError("\n".join(lines))


def list_gates(directory: Path) -> list[int]:
    """List the processes of gates that were started in a directory."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _is_gate(each, directory)]


def _is_gate(process: Path, directory: Path) -> bool:
    try:
        return (process / "cwd").readlink() == directory and "serve" in (process / "cmdline").read_text(
            encoding="utf-8"
        )
    except OSError:  # it ended, or is another user's
        return False


def test_it_says_each_step_before_it_takes_it(demo: "subprocess.Popen[str]") -> None:
    lines = read_until(demo, "Asking it")
    assert [line.split()[0] for line in lines if line and not line.startswith("Port")] == [
        "Writing",
        "Starting",
        "Asking",
    ]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_line_that_it_prints_can_be_pasted_into_a_shell(
    demo: "subprocess.Popen[str]", checkout: Path, tmp_path: Path, shell: str
) -> None:
    lines = read_until(demo, "cd ") + read_until(demo, f"{Path(sys.executable).parent}/patchgate check")
    pasted = [line for line in lines if line.startswith("  ") and not re.match(r"  (refused|admitted|registry)", line)]
    assert [line.split()[0].rpartition("/")[2] for line in pasted] == ["cd", *["curl"] * 3, *["patchgate"] * 2]
    found = " || test $? = 1"  # what `report` and `check` end with, as the world has images in every state
    (checkout / "readyzXverbose").touch()  # what an unquoted `?` might name
    done = subprocess.run(
        [shell, "-c", "set -e\n" + "\n".join(line + found * ("patchgate" in line.split()[0]) for line in pasted)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"allowed"' in done.stdout
    assert '"warnings"' in done.stdout
    assert "the image may run" in done.stdout
    assert "registry.example.com/shop/frontend" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_its_gate_with_0(
    demo: "subprocess.Popen[str]", checkout: Path, number: signal.Signals
) -> None:
    read_until(demo, "In another terminal")
    assert len(list_gates(checkout)) == 1
    demo.send_signal(number)
    assert demo.stdout
    assert demo.stdout.read().rstrip().endswith("The gate has stopped.")
    assert demo.wait(SECONDS) == 0
    assert list_gates(checkout) == []


def test_ctrl_c_ends_it_where_a_shell_had_it_ignored(checkout: Path) -> None:
    (port,) = choose_ports(1)
    script = f"trap '' INT; exec {sys.executable} examples/demo/run.py --port {port}"
    with subprocess.Popen(
        ["/bin/sh", "-c", script], cwd=checkout, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as demo:
        read_until(demo, "In another terminal")
        demo.send_signal(signal.SIGINT)
        assert demo.wait(SECONDS) == 0
    assert list_gates(checkout) == []


def test_a_signal_while_it_starts_ends_it_as_well(demo: "subprocess.Popen[str]", checkout: Path) -> None:
    read_until(demo, "Starting")
    demo.terminate()
    assert demo.wait(SECONDS) == 0
    assert list_gates(checkout) == []


def test_a_gate_that_ends_by_itself_is_a_failure(demo: "subprocess.Popen[str]", checkout: Path) -> None:
    read_until(demo, "In another terminal")
    (gate,) = list_gates(checkout)
    os.kill(gate, signal.SIGKILL)
    assert demo.wait(SECONDS) == 1
