"""What runs in a machine within the machine ends with it, however its starter ends."""

import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node import addresses
from tests.node.machine import Machine, run_machine
from tests.node.programs import Built
from tests.plane.control_plane import wait_until
from tests.plane.program import Program
from tests.plane.test_control_plane import is_running

NAME = "patchgate-machine"
PORT = 8080


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:  # noqa: ARG001 -- where a node cannot run, nor can this
    return tmp_path


@pytest.fixture
def machine(folder: Path) -> Iterator[Machine]:
    with run_machine(folder, NAME) as running:
        yield running


def find_processes(cgroups: list[Path]) -> list[int]:
    files = [file for folder in cgroups for file in folder.rglob("cgroup.procs")]
    return sorted({int(line) for file in files for line in file.read_text().split()})


def test_its_processes_and_cgroups_end_with_it_even_those_that_nobody_waits_for(folder: Path) -> None:
    with run_machine(folder, NAME) as machine:
        orphan = ["/bin/sh", "-c", "setsid sleep 600 & mkdir /sys/fs/cgroup/memory/below; echo started"]
        subprocess.run([*machine.enter(), *orphan], check=True, stdout=subprocess.DEVNULL, timeout=10)
        cgroups = list(machine.cgroups.folders.values())
        processes = find_processes(cgroups)
        assert len(processes) >= 2
        assert (machine.cgroups.folders["memory"] / "below").is_dir()
    assert not [pid for pid in processes if is_running(pid)]
    assert not [cgroup for cgroup in cgroups if cgroup.exists()]


def test_it_ends_with_a_starter_that_is_killed_and_the_next_one_starts(folder: Path) -> None:
    (folder / "first").mkdir()
    script = f"""
        import sys, time
        from pathlib import Path
        from tests.node.machine import run_machine
        with run_machine(Path({str(folder / "first")!r}), {NAME!r}) as machine:
            print(machine.init_pid, flush=True)
            time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdout
        init = int(starter.stdout.readline())
        assert is_running(init)
        starter.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_running(init), "PID 1 is killed")
    (folder / "second").mkdir()
    with run_machine(folder / "second", NAME) as machine:
        assert is_running(machine.init_pid)


def test_its_addresses_are_there_inside_alone(machine: Machine, folder: Path) -> None:
    server = [sys.executable, "-m", "http.server", "--bind", addresses.NODE, str(PORT)]

    def is_reached() -> bool:
        machine.connect(addresses.NODE, PORT).close()
        return True

    with Program(server, folder / "server.log", is_reached, machine.enter_network()).running():
        assert is_reached()
    with pytest.raises(OSError, match="Cannot assign requested address"):
        socket.create_server((addresses.NODE, PORT))


def test_what_kubelet_sets_of_the_kernel_is_its_own(machine: Machine) -> None:
    setting = Path("/proc/sys/kernel/panic")
    before = setting.read_text()
    write = [*machine.enter(), "/bin/sh", "-c", f"echo 77 > {setting}; cat {setting}"]
    assert subprocess.run(write, check=True, capture_output=True, text=True, timeout=10).stdout == "77\n"
    assert setting.read_text() == before


def test_a_program_in_it_is_ended_by_who_started_it(machine: Machine, folder: Path) -> None:
    cgroups = list(machine.cgroups.folders.values())
    before = find_processes(cgroups)
    with Program(["/bin/sleep", "600"], folder / "log", lambda: True, machine.enter()).running():
        wait_until(lambda: len(find_processes(cgroups)) == len(before) + 2, "nsenter, and sleep as its child")
    wait_until(lambda: find_processes(cgroups) == before, "both are ended")
