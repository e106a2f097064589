"""Settings: every flag has a variable and a help text, from one source; a variable that no flag reads is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from patchgate.cli import commands
from patchgate.cli.environment import PREFIX, list_variables, refuse_unknown_variables
from patchgate.cli.serve import Switch
from patchgate.errors import SetupError
from patchgate.gate.settings import Address
from tests.command import run_patchgate


def list_commands() -> dict[str, Any]:
    """Every command by its words, those of groups too."""
    loaded = {name: commands.load_command(name) for name in commands.COMMANDS}
    below = {
        f"{name} {each}": command
        for name, group in loaded.items()
        for each, command in getattr(group, "commands", {}).items()
    }
    return {name: command for name, command in loaded.items() if not hasattr(command, "commands")} | below


COMMANDS = list_commands()
READERS = [command for command in COMMANDS if not command.startswith("certs ")]
"""Commands that read ConfigMaps."""
OPTIONS = {
    (name, parameter.opts[0]): parameter
    for name, command in COMMANDS.items()
    for parameter in command.params
    if parameter.param_type_name == "option"
}
VARIABLES = list_variables(commands.COMMANDS)
SERVE: dict[str, tuple[str, object]] = {
    "--source": ("configmaps", Path("configmaps")),
    "--kubernetes": ("true", True),
    "--kubeconfig": ("config", Path("config")),
    "--context": ("production", "production"),
    "--system-namespace": ("security", "security"),
    "--listen": ("[::]:8443", Address("::", 8443)),
    "--ops-listen": ("0.0.0.0:80", Address("0.0.0.0", 80)),  # noqa: S104 -- parsed only
    "--tls-cert": ("tls.crt", Path("tls.crt")),
    "--tls-key": ("tls.key", Path("tls.key")),
    "--self-signed": ("pki", Path("pki")),
    "--tls-secret": ("gate-tls", "gate-tls"),
    "--issue-certificates": ("true", True),
    "--webhook-configuration": ("gate", "gate"),
    "--webhooks": ("gate-webhooks", "gate-webhooks"),
    "--webhooks-sha256": ("ab" * 32, "ab" * 32),
    "--service-name": ("gate", "gate"),
    "--client-ca": ("client-ca.crt", Path("client-ca.crt")),
    "--client-auth": ("require", "require"),
    "--client-name": ("kube-apiserver", ["kube-apiserver"]),
    "--ca-days": ("400", 400),
    "--leaf-days": ("30", 30),
    "--scope": ("pods", "pods"),
    "--controller-user": ("system:serviceaccount:kafka:operator", ["system:serviceaccount:kafka:operator"]),
    "--on-error": ("allow", "allow"),
    "--drain-seconds": ("2.5", 2.5),
    "--close-v1": ("false", False),
    "--status-page": ("off", Switch.OFF),
    "--token-audience": ("kyverno-svc.kyverno.io", "kyverno-svc.kyverno.io"),
    "--token-user": ("system:serviceaccount:kyverno:*", ["system:serviceaccount:kyverno:*"]),
    "--record-configmaps": ("9", 9),
}
"""Flag of `serve` → a value that is not its default, as it is written and as it is read."""
WRONG = {
    "--system-namespace": "No Name",
    "--listen": "8443",
    "--ops-listen": "localhost",
    "--service-name": "No Name",
    "--client-auth": "perhaps",
    "--ca-days": "0",
    "--leaf-days": "a month",
    "--scope": "some",
    "--controller-user": "system:serviceaccount:*",
    "--on-error": "ignore",
    "--drain-seconds": "-1",
    "--close-v1": "perhaps",
    "--status-page": "perhaps",
    "--token-user": "system:*:kyverno",
    "--webhooks-sha256": "sha256:ab",
    "--record-configmaps": "1001",
}
OWN_PREFIXES = {"flux": "FLUX_"}
"""What stands before the variables of a command whose flags (`--namespace`, `--path`) mean something of their own."""
SWITCHES = ("--kubernetes", "--issue-certificates")
SHARED = ("--source", "--kubernetes", "--kubeconfig", "--context", "--system-namespace", "--record-configmaps")
"""Flags that say where the ConfigMaps are: every command has them, so that all three answer from the same ones."""
FAULTLESS = "patchgate: serve: give --tls-cert and --tls-key, or --tls-secret NAME, or --self-signed DIR alone\n"
"""What `serve` says when it has read its settings, and none of them names a certificate."""


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def parse(*arguments: str) -> dict[str, object]:
    """What `serve` reads."""
    parameters: dict[str, object] = COMMANDS["serve"].make_context("serve", list(arguments)).params
    return parameters


@pytest.mark.parametrize(("command", "flag"), OPTIONS)
def test_a_flag_has_the_variable_of_its_name_and_a_help_text_that_names_it(
    capsys: pytest.CaptureFixture[str], command: str, flag: str
) -> None:
    option = OPTIONS[command, flag]
    own = "" if flag in (*SHARED, "--now") else OWN_PREFIXES.get(command, "")
    assert option.envvar == PREFIX + own + flag.removeprefix("--").replace("-", "_").upper()
    assert len(option.help.split()) >= 3
    _, out, _ = run_patchgate(capsys, *command.split(), "--help")
    text = " ".join(out.split())
    assert flag in text
    assert f"env var: {option.envvar}" in text


def test_the_variables_that_are_not_refused_are_those_that_help_names(capsys: pytest.CaptureFixture[str]) -> None:
    helps = [run_patchgate(capsys, *command.split(), "--help")[1] for command in COMMANDS]
    named = {name for text in helps for name in re.findall(rf"{PREFIX}\w+", text)}
    assert named == {option.envvar for option in OPTIONS.values()}
    assert named == VARIABLES
    assert "PATCHGATE_SOURCE" in VARIABLES


def test_serve_has_the_flags_that_are_tested_here() -> None:
    assert {flag for command, flag in OPTIONS if command == "serve"} == SERVE.keys()


ARGUMENTS = {"explain": ["nginx"]}
"""What a command cannot do without."""


@pytest.mark.parametrize("flag", SHARED)
@pytest.mark.parametrize("command", READERS)
def test_every_command_reads_what_says_where_the_configmaps_are(
    monkeypatch: pytest.MonkeyPatch, command: str, flag: str
) -> None:
    option, serves, (written, read) = OPTIONS[command, flag], OPTIONS["serve", flag], SERVE[flag]
    assert (option.help, option.envvar) == (serves.help, serves.envvar)
    monkeypatch.setenv(option.envvar, written)
    assert COMMANDS[command].make_context(command, ARGUMENTS.get(command, []).copy()).params[option.name] == read


@pytest.mark.parametrize("flag", SERVE)
def test_a_variable_says_what_its_flag_says(monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    option, (written, read) = OPTIONS["serve", flag], SERVE[flag]
    by_flag = [flag] if flag in SWITCHES else option.secondary_opts[:1] or [flag, written]
    source = ["--source", "elsewhere"] if flag != "--source" else []
    assert parse(*source, *by_flag)[option.name] == read
    monkeypatch.setenv(option.envvar, written)
    assert parse(*source)[option.name] == read


@pytest.mark.parametrize("flag", sorted(SERVE.keys() - {"--source"}))
def test_a_flag_that_nobody_gives_has_a_default_that_differs_from_what_is_tested(flag: str) -> None:
    assert parse("--source", "configmaps")[OPTIONS["serve", flag].name] != SERVE[flag][1]


@pytest.mark.parametrize("flag", WRONG)
def test_a_wrong_value_names_the_flag_and_the_flag_wins_over_a_wrong_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    option, (written, _) = OPTIONS["serve", flag], SERVE[flag]
    monkeypatch.setenv("PATCHGATE_SOURCE", "configmaps")
    monkeypatch.setenv(option.envvar, WRONG[flag])
    code, out, err = run_patchgate(capsys, "serve")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"patchgate serve: Invalid value for '{flag}")
    assert f"(env var: '{option.envvar}')" in err
    by_flag = [option.secondary_opts[0]] if option.secondary_opts else [flag, written]
    assert run_patchgate(capsys, "serve", *by_flag) == (2, "", FAULTLESS)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("PATCHGATE_DRAIN_SECOND", "did you mean PATCHGATE_DRAIN_SECONDS?"),
        ("PATCHGATE_drain_seconds", "--help names those that are"),
        ("PATCHGATE_XYZZY", "--help names those that are"),
        ("PATCHGATE_OPSLISTEN", "did you mean PATCHGATE_OPS_LISTEN?"),
    ],
)
def test_a_variable_that_no_flag_reads_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, hint: str
) -> None:
    monkeypatch.setenv(name, "1")
    assert run_patchgate(capsys, "serve", "--source", "configmaps") == (
        2,
        "",
        f"patchgate: the environment variable {name} is no setting; {hint}\n",
    )


@pytest.mark.parametrize(
    "name",
    [
        "PATCHGATE_SERVICE_HOST",
        "PATCHGATE_SERVICE_PORT",
        "PATCHGATE_SERVICE_PORT_WEBHOOK",
        "PATCHGATE_PORT",
        "PATCHGATE_PORT_443_TCP",
        "PATCHGATE_PORT_443_TCP_ADDR",
        "PATCHGATE_OPS_SERVICE_HOST",
        "PATCHGATE_OPS_PORT_8080_TCP_PROTO",
        "XPATCHGATE_WRONG",
        "PATH",
    ],
)
def test_what_a_cluster_sets_beside_a_service_named_patchgate_is_not_refused(name: str) -> None:
    refuse_unknown_variables({name: "tcp://10.0.0.1:443"}, None)


def test_of_several_unknown_variables_the_first_is_said() -> None:
    with pytest.raises(SetupError, match="PATCHGATE_A is no setting"):
        refuse_unknown_variables({"PATCHGATE_B": "", "PATCHGATE_A": ""}, "check")
