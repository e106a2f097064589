"""What the other tests stand on: the programs are the pinned ones, and leave nothing behind however they end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plane.control_plane import Plane, wait_until
from tests.plane.program import Program
from tools.modules import KUBERNETES


def is_running(pid: int) -> bool:
    """Whether a process lives; one that is dead and waited for by nobody does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start(folder: Path, *command: str) -> Program:
    program = Program(command, folder / "log", is_ready=lambda: True)
    program.start()
    return program


def pid_of(program: Program) -> int:
    assert program.process
    return program.process.pid


def test_the_control_plane_is_the_pinned_version(plane: Plane) -> None:
    assert plane.kubectl.do("version", "-o", "json").json["serverVersion"]["gitVersion"] == KUBERNETES.version


def test_a_program_that_is_frozen_is_ended(tmp_path: Path) -> None:
    program = start(tmp_path, "/bin/sleep", "600")
    program.process.send_signal(signal.SIGSTOP)  # type: ignore[union-attr] # it was started a line above
    program.end()
    assert not is_running(pid_of(program))


def test_a_program_that_ends_at_once_says_why(tmp_path: Path) -> None:
    program = Program(["/bin/ls", "/no/such/file"], tmp_path / "log", is_ready=lambda: False)
    with pytest.raises(AssertionError, match=r"ls ended: 2\n.*No such file"):
        program.start()


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_a_program_dies_with_a_pytest_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import time; from pathlib import Path; from tests.plane.program import Program;"
        f"program = Program(['/bin/sleep', '600'], Path({str(tmp_path / 'log')!r}), lambda: True);"
        "program.start(); print(program.process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        # Past setpriv, which asks the kernel for it.
        wait_until(lambda: Path(f"/proc/{pid}/comm").read_text(encoding="utf-8") == "sleep\n", "sleep")
        parent.kill()
    wait_until(lambda: not is_running(pid), "the end of the program")
