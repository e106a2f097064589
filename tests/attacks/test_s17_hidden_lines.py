"""S17: a character that ends a line for a program and for no editor hides a line behind a comment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.policy_keys import read_policy
from tests.command import run_patchgate
from tests.conftest import Gate, GateRunner, write_configmaps
from tests.world import digest, exceptions, hours_ago, image_list, record, records

APP = Path(__file__).parents[2] / "app"
TRACKED = "registry.example.com/shop/api:1"
EVIL = "registry.example.com/evil/x:1"
SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029\r"


def name_code(separator: str) -> str:
    return f"U+{ord(separator):04X}"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[Gate]:
    hidden = "".join(f"# note{each}{EVIL}{number}\n" for number, each in enumerate(SEPARATORS))
    until = "expires: 2100-01-01T00:00:00Z"
    entries = "".join(f"# note{each}- {{image: '{TRACKED}', reason: r, owner: o, {until}}}\n" for each in SEPARATORS)
    lines = "".join(
        f"# note{each}registry.example.com/shop/api@{digest('evil')}  # patched from {EVIL} on 20260508\n"
        for each in SEPARATORS
    )
    breached = records({TRACKED: record(first_vulnerable=hours_ago(72))})
    world = write_configmaps(
        tmp_path_factory.mktemp("world"),
        image_list(TRACKED, hidden),
        ConfigMap(breached.name, {}, {**breached.data, "digests.txt": lines}),
        exceptions(entries),
    )
    with self_signed(world) as running:
        yield running


def decide(gate: Gate, image: str) -> str:
    reason: str = gate.ask("POST", "/v1/decisions", {"images": [image]}).json["reason"]
    return reason


@pytest.mark.parametrize("number", range(len(SEPARATORS)))
def test_no_list_line_is_behind_a_comment(gate: Gate, number: int) -> None:
    assert decide(gate, f"{EVIL}{number}") == "NotTracked"


def test_no_exception_and_no_approval_is_behind_a_comment(gate: Gate) -> None:
    assert decide(gate, TRACKED) == "SlaBreached"
    assert decide(gate, f"registry.example.com/shop/api@{digest('evil')}") != "Approved"


def test_each_such_line_is_reported(gate: Gate) -> None:
    said = gate.ask_ops("/readyz?verbose").text
    reported = gate.ask("GET", "/readyz?verbose").text + said
    for separator in SEPARATORS:
        assert f"delete {name_code(separator)} from it" in reported


@pytest.mark.parametrize("separator", SEPARATORS, ids=name_code)
def test_no_mirror_and_no_push_target_is_behind_a_comment(separator: str) -> None:
    hidden = f"# note{separator}evil.example.com = docker.io\n"
    policy, problems = read_policy(image_list(push_to=hidden, mirrors=hidden), None)
    assert policy.naming.canonical("evil.example.com/library/nginx") == "evil.example.com/library/nginx"
    assert policy.naming.push_to == ()
    assert {problem.configmap for problem in problems} == {"copa-image-list"}


def test_the_command_line_reports_the_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_configmaps(tmp_path, image_list(f"# note\u2028{EVIL}", TRACKED))
    _, _, err = run_patchgate(capsys, "check", "--source", str(tmp_path), EVIL)
    assert "copa-image-list: line 1: " in err
    assert "delete U+2028 from it" in err


def test_nothing_splits_text_at_lines_that_no_editor_shows() -> None:
    found = [
        f"{path.relative_to(APP)}:{node.lineno}"
        for path in APP.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "splitlines"
    ]
    assert found == []
