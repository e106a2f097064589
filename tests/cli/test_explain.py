"""`patchgate explain`: why an image may run or not, as a table and as JSON, and the exit code."""

import json
import re

import pytest

from tests.command import run_patchgate
from tests.world import FIXTURES

SOURCE = str(FIXTURES / "configmaps")
API = "registry.example.com/myapp/api"
WORKER = "registry.example.com/myapp/worker:2.1.0"


def explain(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Run `patchgate explain` at the time of the contract's example; gives exit code, standard output and error."""
    return run_patchgate(capsys, "explain", "--source", SOURCE, "--now", "2026-05-09T12:00:00Z", *arguments)


def test_a_refused_image_with_its_rows_and_places(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = explain(capsys, f"{API}:1.4.2")
    assert (code, err) == (1, "")
    verdict, _, *table = out.splitlines()
    rows, _, places = "\n".join(table).partition("\n\n")
    assert verdict.startswith(f"denied, PatchAvailable: {API}:1.4.2: a patched image is available; use {API}:1.4.2-p")
    assert [re.split("  +", row) for row in rows.splitlines()] == [
        ["ROW", "LOOKS FOR", "ANSWERS", "WHY"],
        ["1", "does not parse", "no", f"it is {API}:1.4.2"],
        ["2", "covered by an unexpired exception", "no", "no exception names its repository"],
        ["3", "names no registry, and must name one", "no", "its name has a registry"],
        ["4", "its repository is not tracked", "no", f"{API} is tracked"],
        ["5", "digest of a fresh approval", "no", "it is named by tag"],
        ["6", "no digest, and one is required", "no", "the policy and its line want none"],
        ["7", "tag or digest of an approval that is not fresh", "no", "no approval is of this tag"],
        ["8", "tag of a fresh approval", "no", "no approval is of this tag"],
        ["9", "listed tag or source, and its record has an approval", "yes", "a patched image is available"],
    ]
    assert [re.split("  +", row) for row in places.splitlines()] == [
        ["WHAT COUNTED", "CONFIGMAP", "WHERE"],
        ["list line", "copa-image-list", "line 2"],
        ["record", "copa-patched-digests", f"{API}:1.4.2"],
    ]


def test_an_image_that_may_run_exits_0_and_has_no_table_of_places_where_there_are_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = explain(capsys, "nginx")
    assert (code, err) == (0, "")
    assert out.startswith("allowed, NotTracked: nginx: its repository is not tracked\n")
    assert "WHAT COUNTED" not in out


@pytest.mark.parametrize("namespace", ["staging", "shop"])
def test_the_json_is_the_decisions_item_with_rows_and_origins(
    capsys: pytest.CaptureFixture[str], namespace: str
) -> None:
    code, out, err = explain(capsys, WORKER, "-n", namespace, "-o", "json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["image"], found["allowed"], found["reason"], found["row"]) == (WORKER, True, "WithinSla", 11)
    assert found["reference"] == WORKER
    assert found["rows"][10]["answer"] == "yes"
    assert found["rows"][10]["why"] in found["message"]
    assert found["rows"][13] == {
        "row": 14,
        "question": "anything else of a tracked repository",
        "answer": "not asked",
        "why": "",
    }
    assert found["origins"][0] == {"kind": "list line", "configmap": "copa-image-list", "place": "line 3"}


def test_what_cannot_be_decided_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run_patchgate(capsys, "explain", "nginx")
    assert (code, out) == (2, "")
    assert err == "patchgate: give --source DIR or --kubernetes, exactly one of them\n"
