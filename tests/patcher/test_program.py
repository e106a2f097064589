"""External programs that behave, and those that do not."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgate.errors import SetupError
from patchgate.patcher.program import Ending, Finished, run_program

LONG_SECONDS = 60.0
GIVEN_SECONDS = 0.5


def run(script: str, limit_seconds: float = LONG_SECONDS, stop: threading.Event | None = None) -> Finished:
    return run_program(
        ["/bin/sh", "-c", script],
        environment={"PATH": os.environ["PATH"]},
        directory=Path("/"),
        limit_seconds=limit_seconds,
        stop=stop or threading.Event(),
    )


def is_gone(file: Path) -> bool:
    """Whether the process that wrote its number into the file has ended."""
    number = file.read_text().strip()
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_program_is_run_to_its_end() -> None:
    finished = run("echo said; echo complained >&2; exit 3")
    assert finished == Finished(Ending.EXITED, 3, "said\n", "complained\n")
    assert not finished.succeeded


def test_a_program_that_says_nothing_has_succeeded_at_that() -> None:
    assert run("exit 0") == Finished(Ending.EXITED, 0, "", "")


def test_a_program_has_the_environment_it_is_given_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIVY_SEVERITY", "LOW")
    finished = run_program(
        ["/usr/bin/env"],
        environment={"ONLY": "this"},
        directory=Path("/"),
        limit_seconds=LONG_SECONDS,
        stop=threading.Event(),
    )
    assert finished.output == "ONLY=this\n"


def test_a_program_reads_what_it_is_given() -> None:
    finished = run_program(
        ["/bin/cat"],
        environment={},
        directory=Path("/"),
        limit_seconds=LONG_SECONDS,
        stop=threading.Event(),
        text="registry.example.com",
    )
    assert finished.output == "registry.example.com"


def test_a_program_that_does_not_read_is_no_fault() -> None:
    finished = run_program(
        ["/bin/true"],
        environment={},
        directory=Path("/"),
        limit_seconds=LONG_SECONDS,
        stop=threading.Event(),
        text="x" * 60_000,
    )
    assert finished.succeeded


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(SetupError, match=r"^cannot start no-such-program: No such file or directory; is it installed"):
        run_program(["no-such-program"], environment={}, directory=Path("/"), limit_seconds=1, stop=threading.Event())


def test_a_flood_of_100_mb_keeps_its_end() -> None:
    finished = run("head -c 104857600 /dev/zero >&2; echo the end >&2; head -c 1000000 /dev/zero; echo done")
    assert finished.succeeded
    assert finished.errors.endswith("the end\n")
    assert finished.output.endswith("done\n")
    assert len(finished.errors) == len(finished.output) == 64 * 1024


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file: once a program makes it, its time is over."""
    mark = tmp_path / "begun"

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + (2 * LONG_SECONDS if mark.exists() else 0)

        @staticmethod
        def sleep(seconds: float) -> None:
            time.sleep(seconds)

    monkeypatch.setattr("patchgate.patcher.program.time", Clock)
    return mark


def test_a_program_that_hangs_is_ended(begun: Path) -> None:
    finished = run(f"echo begun; touch {begun}; exec sleep 1000")
    assert (finished.ending, finished.exit_code, finished.output) == (Ending.TIMED_OUT, -15, "begun\n")


def test_a_program_that_ignores_sigterm_is_killed(monkeypatch: pytest.MonkeyPatch, begun: Path) -> None:
    monkeypatch.setattr("patchgate.patcher.program.PROGRAM_END_SECONDS", GIVEN_SECONDS)
    script = (
        "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)\n"
        "open(sys.argv[1], 'w').close()\n"
        "while True: time.sleep(1)"
    )
    finished = run_program(
        [sys.executable, "-c", script, str(begun)],
        environment={},
        directory=Path("/"),
        limit_seconds=LONG_SECONDS,
        stop=threading.Event(),
    )
    assert (finished.ending, finished.exit_code, finished.output) == (Ending.TIMED_OUT, -9, "deaf\n")


def test_what_a_program_says_while_it_ends_is_kept(monkeypatch: pytest.MonkeyPatch, begun: Path) -> None:
    monkeypatch.setattr("patchgate.patcher.program.PROGRAM_END_SECONDS", LONG_SECONDS)
    finished = run(f"trap 'echo build canceled >&2; exit 1' TERM; touch {begun}; while :; do sleep 0.05; done")
    assert (finished.ending, finished.exit_code) == (Ending.TIMED_OUT, 1)
    assert finished.errors.endswith("build canceled\n")


def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    finished = run(f"sleep 1000 & echo $! > {tmp_path}/number; echo done")
    assert (finished.succeeded, finished.output) == (True, "done\n")
    wait_until(lambda: is_gone(tmp_path / "number"))


def test_a_grandchild_that_floods_the_pipe_is_not_read_for_ever(tmp_path: Path) -> None:
    finished = run(f"yes & echo $! > {tmp_path}/number; echo done >&2")
    assert (finished.succeeded, finished.errors) == (True, "done\n")
    wait_until(lambda: is_gone(tmp_path / "number"))


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path, begun: Path) -> None:
    run(f"sh -c 'sleep 1000 & echo $! > {tmp_path}/number; touch {begun}; wait' & wait")
    wait_until(lambda: is_gone(tmp_path / "number"))


def test_a_program_that_closes_its_output_and_runs_on_is_ended() -> None:
    assert run("exec >&- 2>&-; exec sleep 1000", GIVEN_SECONDS).ending is Ending.TIMED_OUT


def test_a_stopped_patcher_ends_its_programs() -> None:
    stop = threading.Event()
    threading.Timer(GIVEN_SECONDS, stop.set).start()
    assert run("exec sleep 1000", stop=stop).ending is Ending.STOPPED


def test_a_program_that_is_killed_by_somebody_else_says_by_what() -> None:
    assert run("kill -KILL $$").exit_code == -9
