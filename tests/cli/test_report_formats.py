"""`patchgate report` as Markdown and SARIF, and of what is due alone."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Sarif

from tests.cli.reporting import API, SOURCE, report, write
from tests.world import FIXTURES, clean, digest, hours_ago, image_list, patched, record, records

HOSTILE = "`|</td><script>x</script>|\\` [a](b) @all \x1b[2J"
EVERY = {
    f"{API}:breached": record(source_digest=digest("1"), first_vulnerable=hours_ago(30), message=HOSTILE),
    f"{API}:due": record(source_digest=digest("2"), first_vulnerable=hours_ago(19), message="waits"),
    f"{API}:later": record(source_digest=digest("3"), first_vulnerable=hours_ago(2)),
    f"{API}:stale": clean(
        f"{API}:stale", source_digest=digest("4"), approved_digest=digest("4"), verified=hours_ago(30)
    ),
    f"{API}:hopeless": record(source_digest=digest("5"), state="unpatchable", message="no OS packages"),
    f"{API}:patched": patched(f"{API}:patched-patched-20260509"),
}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Images in every state; the last line has no record."""
    return write(tmp_path, image_list(*EVERY, f"{API}:unscanned"), records(EVERY))


def read_sarif(text: str) -> list[dict[str, Any]]:
    """Read the results of a report that is valid by SARIF's schema."""
    Sarif.model_validate_json(text)
    results: list[dict[str, Any]] = json.loads(text)["runs"][0]["results"]
    return results


def test_sarif_is_valid_and_has_what_asks_for_somebody(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    code, out, err = report(capsys, world, "sarif")
    results = read_sarif(out)
    assert (code, err) == (1, "")
    found = {result["partialFingerprints"]["image/v1"]: (result["ruleId"], result["level"]) for result in results}
    assert found == {
        f"{API}:breached": ("SlaBreached", "error"),
        f"{API}:due": ("WithinSla", "warning"),
        f"{API}:hopeless": ("Unpatchable", "warning"),
        f"{API}:later": ("WithinSla", "warning"),
        f"{API}:stale": ("Stale", "error"),
        f"{API}:unscanned": ("Unscanned", "note"),
    }
    assert results[1]["message"] == {"text": f"{API}:due (5 h): waits"}
    assert results[1]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "copa-image-list/images.txt"}, "region": {"startLine": 2}}}
    ]


def test_each_result_of_sarif_names_its_rule(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    run = json.loads(report(capsys, world, "sarif")[1])["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "patchgate"
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        result["ruleId"] for result in run["results"]
    ]


def test_the_schema_refuses_what_is_no_sarif(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    content = json.loads(report(capsys, world, "sarif")[1])
    content["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(ValidationError, match="level"):
        Sarif.model_validate(content)


def test_sarif_of_nothing_is_valid(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = report(capsys, write(tmp_path, image_list()), "sarif")
    assert (code, read_sarif(out)) == (0, [])


def test_markdown_is_a_headline_and_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = report(capsys, SOURCE, "markdown")
    assert (code, err) == (1, "")
    headline, empty, header, rule, first, second, *_ = out.splitlines()
    assert headline == "**1 of 5 images breach the patch SLA** (5 shown, 2026-05-09T12:00:00Z)"
    assert (empty, header) == ("", "| Image | State | Time left | Approved | Message |")
    assert rule == "| --- | --- | --- | --- | --- |"
    assert first == (
        f"| `{API}:1.4.2` | `patched` | - | `{API}:1.4.2-patched-20260509"
        "@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2` "
        "| `2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2` |"
    )
    assert "| `failed` | `breached 2 d ago` | - |" in second


def test_markdown_of_nothing_is_a_headline(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = report(capsys, write(tmp_path, image_list()), "markdown")
    assert (code, out) == (0, "**No image breaches the patch SLA** (0 shown, 2026-05-09T12:00:00Z)\n")


def test_a_hostile_message_stays_in_its_cell_of_markdown(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    rows = report(capsys, world, "markdown")[1].splitlines()[4:]
    assert [row.count(" | ") for row in rows] == [4] * len(rows)
    assert {row.count("`") for row in rows} <= {6, 8}
    assert rows[0].endswith("| `'¦</td><script>x</script>¦\\' [a](b) @all �[2J` |")


@pytest.mark.parametrize(
    ("due", "shown"),
    [
        ("4h", ["breached"]),
        ("5h", ["breached", "due"]),
        ("300min", ["breached", "due"]),
        ("1d", ["breached", "due", "later"]),
    ],
)
def test_due_shows_what_is_breached_or_will_be_within_that_time(
    capsys: pytest.CaptureFixture[str], world: Path, due: str, shown: list[str]
) -> None:
    code, out, _ = report(capsys, world, "json", "--due", due)
    images = json.loads(out)["images"]
    assert (code, [image["image"] for image in images]) == (1, [f"{API}:{tag}" for tag in shown])


def test_what_is_due_and_not_breached_yet_exits_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = write(tmp_path, image_list(f"{API}:due"), records({f"{API}:due": EVERY[f"{API}:due"]}))
    code, out, _ = report(capsys, source, "table", "--due", "6h")
    assert (code, len(out.splitlines())) == (0, 2)


@pytest.mark.parametrize("due", ["6", "h", "-1h", "6 h", "1w", "99999h", ""])
def test_a_duration_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], due: str) -> None:
    code, out, err = report(capsys, FIXTURES / "configmaps", "table", "--due", due)
    assert (code, out) == (2, "")
    assert "write a number and min, h or d, such as 6h" in err


def test_a_line_that_has_no_effect_is_in_every_format(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world = write(tmp_path, image_list("nginx"), records())
    code, out, _ = report(capsys, world, "sarif")
    (result,) = read_sarif(out)
    assert (code, result["ruleId"], result["level"]) == (1, "BadLine", "error")
    assert result["message"] == {"text": "nginx: has no tag: write REPO:TAG or REPO:TAG@DIGEST"}
    code, out, _ = report(capsys, world, "markdown")
    assert code == 1
    assert out.startswith("**No image breaches the patch SLA; 1 list lines have no effect** (0 shown, ")
    assert "| `nginx` | `bad line` | - | - | `copa-image-list, line 1: has no tag: " in out
