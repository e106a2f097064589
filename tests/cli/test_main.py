"""The command as a whole: its exit codes, and one line on standard error for every wrong use."""

import importlib
import io
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from patchgate.cli import run
from patchgate.cli.commands import COMMANDS
from tests.command import run_patchgate
from tests.world import FIXTURES

SOURCE = str(FIXTURES / "configmaps")
NOW = "2026-05-09T12:00:00Z"


def run_process(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run `python -m patchgate` in a process of its own."""
    command = [sys.executable, "-m", "patchgate", *arguments]
    return subprocess.run(
        command, capture_output=True, check=False, text=True, env=os.environ | environment, timeout=180
    )


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, err = run_patchgate(capsys, *arguments)
    assert (code, err) == (0, "")
    assert out.startswith("Usage: patchgate ")
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert commands == ["serve", "check", "patch", "report", "explain", "discover", "flux", "certs"]


@pytest.mark.parametrize("command", ["serve", "check", "report", "explain", "discover", "flux"])
def test_help_of_a_command_names_the_environment_variable_of_its_flags(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    code, out, err = run_patchgate(capsys, command, "--help")
    assert (code, err) == (0, "")
    assert "PATCHGATE_SOURCE" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--xyzzy"], "patchgate: No such option: --xyzzy; see patchgate --help"),
        (["wrong"], "patchgate: No such command 'wrong'; see patchgate --help"),
        (["check", "--wrong"], "patchgate check: No such option: --wrong; see patchgate check --help"),
        (["check", "nginx"], "patchgate: give --source DIR or --kubernetes, exactly one of them"),
        (["report"], "patchgate: give --source DIR or --kubernetes, exactly one of them"),
        (
            ["report", "--source", SOURCE, "--kubernetes"],
            "patchgate: give --source DIR or --kubernetes, exactly one of them",
        ),
        (
            ["report", "--kubernetes", "--system-namespace", "No name"],
            (
                "patchgate report: Invalid value for '--system-namespace' (env var: 'PATCHGATE_SYSTEM_NAMESPACE'): "
                "write the name of a namespace, such as copa-system; see patchgate report --help"
            ),
        ),
        (
            ["check", "nginx", "--source"],
            "patchgate check: Option '--source' requires an argument; see patchgate check --help",
        ),
        (
            ["report", "nginx", "--source", SOURCE],
            "patchgate report: Got unexpected extra argument(s) (nginx); see patchgate report --help",
        ),
        (["check", "--source", SOURCE], "patchgate: check: name an IMAGE, or a manifest with -f"),
        (
            ["check", "nginx", "--source", "/missing"],
            "patchgate: --source /missing: No such file or directory; name a directory of ConfigMaps",
        ),
        (
            ["report", "--source", "/missing\nin two lines"],
            "patchgate: --source /missing in two lines: No such file or directory; name a directory of ConfigMaps",
        ),
    ],
)
def test_a_wrong_use_is_one_line_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert run_patchgate(capsys, *arguments) == (2, "", f"{line}\n")


@pytest.mark.parametrize("command", [["check", "nginx"], ["report"]])
@pytest.mark.parametrize(
    ("flag", "value", "fault"),
    [
        ("--now", "yesterday", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--now", "", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--now", "2026-05-09", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--now", "2026-05-09T12:00:00", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--now", "1778306692", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--now", "0001-01-01T00:00:00+14:00", "write RFC 3339, such as 2026-05-09T12:00:00Z"),
        ("--output", "xml", "'xml' is not one of 'table', 'json'{more}"),
    ],
)
def test_a_wrong_value_of_a_flag_is_one_line_that_says_what_to_write(
    capsys: pytest.CaptureFixture[str], command: list[str], flag: str, value: str, fault: str
) -> None:
    code, out, err = run_patchgate(capsys, *command, "--source", SOURCE, flag, value)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"patchgate {command[0]}: Invalid value for '{flag}'")
    more = ", 'markdown', 'sarif'" if command == ["report"] else ""
    assert err.endswith(f"{fault.format(more=more)}; see patchgate {command[0]} --help\n")


@pytest.mark.parametrize("command", [["check", "nginx"], ["report"]])
@pytest.mark.parametrize("now", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_any_time_of_the_calendar_can_be_asked_about(
    capsys: pytest.CaptureFixture[str], command: list[str], now: str
) -> None:
    code, out, _ = run_patchgate(capsys, *command, "--source", SOURCE, "--now", now, "-o", "json")
    assert code in {0, 1}
    assert out.startswith("{")


@pytest.mark.parametrize("command", [["check", "nginx"], ["report"]])
def test_a_directory_without_the_main_list_decides_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    assert run_patchgate(capsys, *command, "--source", str(tmp_path)) == (
        2,
        "",
        f"patchgate: --source {tmp_path}: no ConfigMap copa-image-list, so nothing can be decided\n",
    )


def test_a_directory_whose_main_list_cannot_be_read_says_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "list.yaml").write_text("kind: [\n", encoding="utf-8")
    code, out, err = run_patchgate(capsys, "report", "--source", str(tmp_path))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "so nothing can be decided (list.yaml: cannot be read: not YAML: while parsing" in err


def test_flags_have_environment_variables(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATCHGATE_SOURCE", SOURCE)
    monkeypatch.setenv("PATCHGATE_NOW", NOW)
    monkeypatch.setenv("PATCHGATE_OUTPUT", "json")
    monkeypatch.setenv("PATCHGATE_NAMESPACE", "staging")
    code, out, err = run_patchgate(capsys, "check", "registry.example.com/myapp/frontend:3.0.1")
    assert (code, err) == (0, "")
    assert '"reason": "Excepted"' in out


def test_a_flag_wins_over_its_environment_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATCHGATE_SOURCE", "/missing")
    assert run_patchgate(capsys, "check", "nginx", "--source", SOURCE, "--now", NOW)[0] == 0


def test_an_interrupted_command_ends_as_interrupted_commands_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class InterruptedInput(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: object, /) -> int:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(InterruptedInput())))
    assert run_patchgate(capsys, "check", "-f", "-", "--source", SOURCE)[0] == 130


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS), ["certs", "issue"]])
def test_h_is_help_on_every_command(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    short, long = run_patchgate(capsys, *words, "-h"), run_patchgate(capsys, *words, "--help")
    assert short == long
    assert short[0] == 0
    assert short[1].startswith(f"Usage: {' '.join(['patchgate', *words])} ")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_patchgate(capsys, "--version") == (0, f"patchgate {version('patchgate')}\n", "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("patchgate ", list(COMMANDS)),
        ("patchgate re", ["report"]),
        ("patchgate report --du", ["--due"]),
        ("patchgate report -o ma", ["markdown"]),
        ("patchgate certs i", ["issue"]),
    ],
)
def test_a_shell_completes_commands_flags_and_choices(words: str, completed: list[str]) -> None:
    place = str(words.count(" "))
    done = run_process(_PATCHGATE_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=place)
    assert done.stdout.split() == completed


NOT_NEEDED = ("kubernetes", "fastapi", "uvicorn", "cryptography", "pydantic", "rich.console", "structlog", "asyncio")


@pytest.mark.parametrize("arguments", [["--help"], ["check", "nginx", "--source", SOURCE, "--now", NOW]])
def test_a_command_imports_only_what_it_needs(arguments: list[str]) -> None:
    script = (
        "import sys; from patchgate.cli import run\n"
        f"try: run({arguments!r})\nexcept SystemExit as end: assert end.code == 0\n"
        f"sys.stderr.write(' '.join(name for name in {NOT_NEEDED!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=180)
    assert done.stderr == ""


def test_python_m_patchgate_is_the_command() -> None:
    done = run_process("check", "nginx", "--source", SOURCE, "--now", NOW)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].rstrip() == "allowed  NotTracked  nginx: its repository is not tracked"


def test_importing_the_entry_of_the_process_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert importlib.import_module("patchgate.__main__").run is run
    assert capsys.readouterr() == ("", "")


def test_python_m_patchgate_exits_with_the_commands_code() -> None:
    assert run_process("report", PATCHGATE_SOURCE=SOURCE, PATCHGATE_NOW=NOW).returncode == 1
    assert run_process("report", PATCHGATE_SOURCE="/missing").returncode == 2


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 100_000, "{a: " * 100_000], ids=["flow", "block", "mapping"])
def test_exceptions_nested_100_000_deep_end_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.yaml").write_text(
        (FIXTURES / "configmaps" / "copa-image-list.yaml").read_text(), encoding="utf-8"
    )
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: copa-exceptions}\ndata:\n"
    nested = f"{head}  exceptions.yaml: |\n    {text}\n"
    (tmp_path / "nested.yaml").write_text(nested, encoding="utf-8")
    done = run_process("check", "nginx", "--source", str(tmp_path))
    assert done.returncode == 0
    assert done.stderr.startswith("warning: copa-exceptions: exceptions.yaml: ")


def test_a_file_nested_100_000_deep_ends_no_process(tmp_path: Path) -> None:
    (tmp_path / "nested.yaml").write_text("[" * 100_000, encoding="utf-8")
    done = run_process("check", "-f", str(tmp_path / "nested.yaml"), "--source", SOURCE, "--now", NOW)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
