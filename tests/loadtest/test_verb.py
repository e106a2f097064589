"""What every load verb does around its measurement: its exit code, and nothing that stays behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.figure import Bar, Figure
from loadtest.servers import ROOT, ServerError
from loadtest.verb import measure_in_folder

WAIT_SECONDS = 60.0
RUNS_A_SERVER = """
import sys
from pathlib import Path
from loadtest.servers import run_server
from loadtest.verb import measure_in_folder
def measure(folder):
    print(folder, flush=True)
    sleeper = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
    command, log = [sys.executable, "-c", sleeper], Path(sys.argv[1])
    with run_server("sleeper", command, port=9, expects="", log=log, ready_seconds=600):
        return []
sys.exit(measure_in_folder("load-test", measure))
"""


@pytest.fixture(autouse=True)
def sigterm_as_before() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def measure(value: float) -> int:
    return measure_in_folder("load-test", lambda _: [Figure("what", value, value, value, "", Bar(1))])


def test_the_exit_code_says_whether_every_bar_is_met() -> None:
    assert (measure(1.0), measure(1.1)) == (0, 1)


@pytest.mark.parametrize(
    "error",
    [
        ServerError("the gate ended"),
        AssertionError("the gate ended"),
        ConnectionRefusedError("the gate ended"),
        subprocess.SubprocessError("the gate ended"),
        ValueError("the gate ended"),
        KeyboardInterrupt("the gate ended"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_could_not_be_measured_is_no_missed_bar(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Path) -> list[Figure]:
        raise error

    assert measure_in_folder("load-test", fail) == 2
    assert capsys.readouterr().err == "make load-test: the gate ended\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_server_outlives_a_verb_that_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    verb = subprocess.Popen(
        [sys.executable, "-c", RUNS_A_SERVER, str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with verb:
        assert verb.stdout
        folder = Path(verb.stdout.readline().strip())
        wait_until_read(log)
        verb.send_signal(number)
        verb.wait(WAIT_SECONDS)
    wait_until_ended(int(log.read_text(encoding="utf-8")))
    assert folder.exists() == (number == signal.SIGKILL)  # which nobody can clean up after
    if folder.exists():
        folder.rmdir()


def wait_until_read(log: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not (log.exists() and log.read_text(encoding="utf-8").endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_until_ended(pid: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while (status := Path(f"/proc/{pid}/status")).exists() and "State:\tZ" not in status.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, "the server still runs"
        time.sleep(0.05)
