"""Every case that is a manifest, and every review that creates something, given to `patchgate check -f`."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cases.reading import CASES, ReviewCase, read_expectations, read_reviews, write_demo
from tests.command import run_patchgate
from tests.world import NOW

MANIFESTS = read_expectations("manifests")
CREATED = [
    case
    for case in read_reviews()
    if case.request["operation"] == "CREATE" and case.request["userInfo"]["username"] == "alice" and not case.arguments
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo(tmp_path_factory.mktemp("demo"), NOW)


def check(capsys: pytest.CaptureFixture[str], demo: Path, manifest: Path) -> tuple[object, Any, str]:
    """Exit code, the JSON, and standard error."""
    where = ("--source", str(demo), "--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}")
    code, out, err = run_patchgate(capsys, "check", *where, "-f", str(manifest), "-o", "json")
    return code, json.loads(out), err


@pytest.mark.parametrize(("manifest", "expect"), MANIFESTS, ids=[path.name for path, _ in MANIFESTS])
def test_a_manifest_is_judged_as_its_case_says(
    manifest: Path, expect: dict[str, Any], demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer, err = check(capsys, demo, manifest)
    judged = [[item["workload"], item["reason"], item["allowed"]] for item in answer["images"]]
    assert (code, judged) == (expect["exit"], expect["judged"])
    for said in expect.get("said", ()):
        assert said in err


@pytest.mark.parametrize("case", CREATED, ids=lambda case: case.name)
def test_what_a_review_creates_is_judged_alike(
    case: ReviewCase, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(case.request["object"]), encoding="utf-8")
    code, answer, _ = check(capsys, demo, manifest)
    if case.name.endswith("volcano-job"):  # the webhook is not asked of it; a manifest is searched for a Pod's shape
        assert (code, answer["reason"]) == (1, "SlaBreached")
        return
    assert (code, answer["allowed"], answer["reason"]) == (0 if case.allowed else 1, case.allowed, case.reason)


def test_every_case_has_its_expectation() -> None:
    for folder in ("manifests", "lists"):
        files = {path.name for path in (CASES / folder).iterdir()}
        cases = {name for name in files if not name.endswith(".expect.json")}
        assert {f"{name}.expect.json" for name in cases} | cases == files
