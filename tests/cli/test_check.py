"""`patchgate check`: what is said of images, as a table and as JSON, and the exit code."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.command import run_patchgate
from tests.world import FIXTURES, clean, image_list, records

SOURCE = str(FIXTURES / "configmaps")
API = "registry.example.com/myapp/api"
APPROVED = f"{API}:1.4.2-patched-20260509@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2"
WORKER = "registry.example.com/myapp/worker:2.1.0"
FRONTEND = "registry.example.com/myapp/frontend:3.0.1"
NGINX_BASE = "registry.example.com/shared/nginx-base:1.25.3"


def check(
    capsys: pytest.CaptureFixture[str], *arguments: str, source: str = SOURCE, output: str = "table"
) -> tuple[object, str, str]:
    """Run `patchgate check` at the time of the contract's example; gives exit code, standard output and error."""
    return run_patchgate(capsys, "check", "--source", source, "--now", "2026-05-09T12:00:00Z", "-o", output, *arguments)


@pytest.mark.parametrize(
    ("image", "code", "word", "reason"),
    [
        (APPROVED, 0, "allowed", "Approved"),
        (f"{API}:1.4.2-patched-20260509", 0, "allowed", "Approved"),
        (NGINX_BASE, 0, "allowed", "Approved"),
        ("nginx", 0, "allowed", "NotTracked"),
        (WORKER, 0, "warned", "WithinSla"),
        ("registry.example.com/shared/python-base:3.12.1", 0, "warned", "Unscanned"),
        (f"{API}:1.4.2", 1, "denied", "PatchAvailable"),
        (FRONTEND, 1, "denied", "SlaBreached"),
        (f"{API}:9", 1, "denied", "Unlisted"),
        ("Not An Image", 1, "denied", "InvalidReference"),
        ("", 1, "denied", "InvalidReference"),
    ],
)
def test_an_image_gets_its_verdict_its_reason_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], image: str, code: int, word: str, reason: str
) -> None:
    ended, out, err = check(capsys, image)
    header, row = out.splitlines()
    assert (ended, err) == (code, "")
    assert header.split() == ["VERDICT", "REASON", "IMAGE", "AND", "WHAT", "TO", "DO"]
    assert row.split()[:2] == [word, reason]
    assert f"  {image or 'empty image'}: " in row


def test_exit_zero_is_for_a_step_that_only_reports(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert check(capsys, FRONTEND, "--exit-zero")[0] == 0
    (tmp_path / "a.yaml").write_text("kind: [", encoding="utf-8")
    assert check(capsys, "-f", str(tmp_path / "a.yaml"), "--exit-zero")[0] == 2


def test_one_denied_image_of_several_denies(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(capsys, "nginx", f"{API}:1.4.2", WORKER)
    assert code == 1
    assert [row.split()[0] for row in out.splitlines()] == ["VERDICT", "allowed", "denied", "warned"]


def test_a_denial_names_the_whole_reference_to_use_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(capsys, f"{API}:1.4.2")
    assert out.splitlines()[1].rstrip().endswith(f"{API}:1.4.2: a patched image is available; use {APPROVED}")


def test_json_is_what_v1_decisions_answers(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capsys, "nginx", f"{API}:1.4.2", "nginx", output="json")
    answer = json.loads(out)
    assert (code, err) == (1, "")
    assert list(answer) == ["allowed", "reason", "message", "images"]
    assert (answer["allowed"], answer["reason"]) == (False, "PatchAvailable")
    assert APPROVED in answer["message"]
    assert [item["image"] for item in answer["images"]] == ["nginx", f"{API}:1.4.2", "nginx"]
    assert answer["images"][1] == {
        "image": f"{API}:1.4.2",
        "allowed": False,
        "reason": "PatchAvailable",
        "message": f"{API}:1.4.2: a patched image is available; use {APPROVED}",
        "use": APPROVED,
        "warnings": [
            f"{API}:1.4.2: a patched image is available",
            f"use {API}@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2",
        ],
    }


@pytest.mark.parametrize(
    ("namespace", "code", "reason"),
    [
        (["-n", "staging"], 0, "Excepted"),
        (["--namespace", "preview-7"], 0, "Excepted"),
        (["-n", "production"], 1, "SlaBreached"),
        ([], 1, "SlaBreached"),
    ],
)
def test_an_exception_holds_in_its_namespaces_only(
    capsys: pytest.CaptureFixture[str], namespace: list[str], code: int, reason: str
) -> None:
    ended, out, _ = check(capsys, FRONTEND, *namespace, output="json")
    assert (ended, json.loads(out)["reason"]) == (code, reason)


def test_the_clock_counts_where_no_time_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_patchgate(capsys, "check", "--source", SOURCE, WORKER, "-o", "json")
    assert (code, json.loads(out)["reason"]) == (1, "SlaBreached")


def run_on_terminal(*arguments: str) -> str:
    """Run the command on a terminal of 60 columns; gives what it shows."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": "60", "TERM": "xterm", "NO_COLOR": ""}
    command = [sys.executable, "-m", "patchgate", *arguments]
    subprocess.run(command, stdout=theirs, check=False, env=environment, timeout=180)
    os.close(theirs)
    with os.fdopen(ours, "rb") as screen:
        return screen.read1(100_000).decode()


HOSTILE = [
    pytest.param("ng\x00inx", "ng�inx", id="NUL"),
    pytest.param("nginx\nallowed  Approved  nginx", "nginx�allowed  Approved  nginx", id="a line of its own"),
    pytest.param("\x1b[31mred", "�[31mred", id="a colour of the terminal"),
    pytest.param("[red]nginx[/red]", "[red]nginx[/red]", id="markup"),
    pytest.param("[/]", "[/]", id="markup that closes nothing"),
    pytest.param("\u202egnp.exe", "�gnp.exe", id="from right to left"),
    pytest.param("\udcff", "�", id="a byte that is no UTF-8"),
    pytest.param("x" * 5000, "x" * 199 + "…", id="5,000 characters"),
    pytest.param("漢字" * 2500, "漢字" * 99 + "漢…", id="5,000 wide characters"),
]


@pytest.mark.parametrize(("image", "shown"), HOSTILE)
def test_a_hostile_image_is_one_row_of_plain_text(capsys: pytest.CaptureFixture[str], image: str, shown: str) -> None:
    code, out, err = check(capsys, image)
    _, row = out.splitlines()
    assert (code, err) == (1, "")
    assert row.startswith(f"denied   InvalidReference  {shown}: not an image reference: ")


@pytest.mark.parametrize(("image", "shown"), HOSTILE)
def test_a_hostile_image_is_one_item_of_json(capsys: pytest.CaptureFixture[str], image: str, shown: str) -> None:
    code, out, _ = check(capsys, image, output="json")
    assert code == 1
    assert [item["image"] for item in json.loads(out)["images"]] == [shown]


def test_a_long_list_of_images_is_decided_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(capsys, *[f"{API}:{number}" for number in range(300)])
    assert code == 1
    assert len(out.splitlines()) == 301


def test_what_does_not_count_in_the_data_is_said_beside_the_answer(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "list.yaml").write_text(
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: copa-image-list}, "
        "data: {images.txt: 'a.io/b', stale: \"no\\nway\", platforms: 5}}",
        encoding="utf-8",
    )
    (tmp_path / "other.yaml").write_text("kind: Secret", encoding="utf-8")
    code, out, err = check(capsys, "nginx", source=str(tmp_path), output="json")
    assert (code, json.loads(out)["allowed"]) == (0, True)
    assert err.splitlines() == [
        "warning: copa-image-list: platforms: must be a text: put it in quotes",
        "warning: other.yaml: a Secret (None) is no ConfigMap (v1)",
        "warning: copa-image-list: line 1: 'a.io/b': has no tag: write REPO:TAG or REPO:TAG@DIGEST",
        (
            "warning: copa-image-list: stale: "
            "'no�way' is wrong (write one of deny, deny-always, warn); the last good value stays in force"
        ),
        (
            "warning: copa-image-list: platforms: "
            "'' is wrong (write OS/ARCHITECTURE, separated by commas); the last good value stays in force"
        ),
    ]


def test_a_terminal_gets_long_cells_folded_and_denials_in_red() -> None:
    output = run_on_terminal("check", f"{API}:1.4.2", "--source", SOURCE, "--now", "2026-05-09T12:00:00Z")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in output.splitlines()]
    assert "\x1b[31mdenied" in output
    assert len(lines) > 3
    assert max(map(len, lines)) <= 60
    assert APPROVED in "".join(line[len("denied   PatchAvailable  ") :].rstrip() for line in lines)


def test_a_pipe_gets_each_row_on_one_line_even_where_colours_are_forced(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, _ = check(capsys, f"{API}:1.4.2")
    assert len(out.splitlines()) == 2
    assert APPROVED in out


@pytest.mark.parametrize(("arguments", "reason"), [([], "Unscanned"), (["--record-configmaps", "8"], "Approved")])
def test_as_many_configmaps_of_records_count_as_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], reason: str
) -> None:
    for configmap, name in (
        (image_list(NGINX_BASE), "copa-image-list"),
        (records({NGINX_BASE: clean(NGINX_BASE)}), "copa-patched-digests-8"),
    ):
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(configmap.data)}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(obj), encoding="utf-8")
    assert reason in check(capsys, NGINX_BASE, *arguments, source=str(tmp_path))[1]
