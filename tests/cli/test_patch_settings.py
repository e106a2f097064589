"""The settings of `patchgate patch`: a flag, its variable and its default, each read as it is meant."""

from pathlib import Path
from typing import Any

import pytest

from patchgate.cli.commands import load_command
from patchgate.cli.environment import list_variables
from tests.command import run_patchgate

COMMAND: Any = load_command("patch")
OPTIONS = {each.opts[0]: each for each in COMMAND.params if each.param_type_name == "option"}
READ: dict[str, tuple[str, object]] = {
    "--source": ("configmaps", Path("configmaps")),
    "--kubernetes": ("true", True),
    "--kubeconfig": ("config", Path("config")),
    "--context": ("production", "production"),
    "--system-namespace": ("security", "security"),
    "--record-configmaps": ("9", 9),
    "--dry-run": ("true", True),
    "--jobs": ("7", 7),
    "--image-limit-seconds": ("600", 600.0),
    "--run-limit-seconds": ("7200", 7200.0),
    "--buildkit": ("tcp://buildkit:1234", "tcp://buildkit:1234"),
    "--buildkit-cacert": ("ca.crt", Path("ca.crt")),
    "--buildkit-cert": ("tls.crt", Path("tls.crt")),
    "--buildkit-key": ("tls.key", Path("tls.key")),
    "--trivy": ("/opt/trivy", "/opt/trivy"),
    "--trivy-server": ("http://trivy:4954", "http://trivy:4954"),
    "--trivy-cache": ("cache", Path("cache")),
    "--db-repository": ("mirror.example.com/trivy-db", "mirror.example.com/trivy-db"),
    "--skip-db-update": ("true", True),
    "--copa": ("/opt/copa", "/opt/copa"),
    "--vex-directory": ("vex", Path("vex")),
    "--docker-config": ("docker", Path("docker")),
    "--plain-http": ("one:5000 two:5000", ["one:5000", "two:5000"]),
    "--registry-mirror": ("a=b c=d", ["a=b", "c=d"]),
    "--metrics-file": ("patchgate.prom", Path("patchgate.prom")),
    "--termination-log": ("end", Path("end")),
    "--output": ("json", "json"),
}
"""Flag → a value that is not its default, as its variable has it and as it is read."""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list_variables(["patch"]):
        monkeypatch.delenv(name, raising=False)


def parse(*arguments: str) -> dict[str, object]:
    parameters: dict[str, object] = COMMAND.make_context("patch", list(arguments)).params
    return parameters


def test_every_flag_is_tested_here() -> None:
    assert READ.keys() == OPTIONS.keys()


@pytest.mark.parametrize("flag", READ)
def test_a_variable_says_what_its_flag_says_and_neither_is_the_default(
    monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    option, (written, read) = OPTIONS[flag], READ[flag]
    by_flag = [flag] if read is True else [word for each in _list_words(written, read) for word in (flag, each)]
    assert parse()[option.name] != read
    assert parse(*by_flag)[option.name] == read
    monkeypatch.setenv(option.envvar, written)
    assert parse()[option.name] == read


def _list_words(written: str, read: object) -> list[str]:
    return written.split() if isinstance(read, list) else [written]


@pytest.mark.parametrize(
    ("flag", "wrong"),
    [("--jobs", "0"), ("--jobs", "65"), ("--image-limit-seconds", "0"), ("--run-limit-seconds", "soon"), ("-o", "xml")],
)
def test_a_wrong_value_names_the_flag(capsys: pytest.CaptureFixture[str], flag: str, wrong: str) -> None:
    code, out, err = run_patchgate(capsys, "patch", "--source", "configmaps", flag, wrong)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("patchgate patch: Invalid value for '")
    assert flag in err


def test_a_source_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run_patchgate(capsys, "patch")
    assert (code, err) == (2, "patchgate: give --source DIR or --kubernetes, exactly one of them\n")
