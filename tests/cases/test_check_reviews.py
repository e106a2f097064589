"""Every review that creates something: its object, given to `patchgate check -f`, is judged alike."""

import json
from pathlib import Path

import pytest

from tests.cases.reading import ReviewCase, read_reviews, write_demo
from tests.command import run_patchgate
from tests.world import NOW

FOREIGN = "volcano-job"
"""Of a kind that no webhook asks about; in a manifest it is searched for what has a Pod's shape."""
CREATED = [
    case
    for case in read_reviews()
    if case.request["operation"] == "CREATE" and case.request["userInfo"]["username"] == "alice" and not case.arguments
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_demo(tmp_path_factory.mktemp("demo"), NOW)


@pytest.mark.parametrize("case", CREATED, ids=lambda case: case.name)
def test_what_a_review_creates_is_judged_alike(
    case: ReviewCase, demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(case.request["object"]), encoding="utf-8")
    where = ("--source", str(demo), "--now", f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "-f", str(manifest))
    code, out, _ = run_patchgate(capsys, "check", *where, "-o", "json")
    answer = json.loads(out)
    found = (code, answer["allowed"], answer["reason"])
    is_foreign = case.name.endswith(FOREIGN)
    assert found == ((1, False, "SlaBreached") if is_foreign else (0 if case.allowed else 1, case.allowed, case.reason))
