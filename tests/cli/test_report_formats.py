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
    found = {result["message"]["text"].split()[0]: (result["ruleId"], result["level"]) for result in results}
    assert list(found) == [f"{API}:{tag}" for tag in ("breached", "stale", "due", "later", "hopeless", "unscanned")]
    assert found == {
        f"{API}:breached": ("SlaBreached", "error"),
        f"{API}:due": ("WithinSla", "warning"),
        f"{API}:hopeless": ("Unpatchable", "warning"),
        f"{API}:later": ("WithinSla", "warning"),
        f"{API}:stale": ("Stale", "error"),
        f"{API}:unscanned": ("Unscanned", "note"),
    }
    assert results[2]["message"] == {"text": f"{API}:due (5 h): waits"}
    region = {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 2}
    assert results[2]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "copa-image-list/images.txt"}, "region": region}}
    ]


def test_sarif_has_what_github_asks_for(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    run = json.loads(report(capsys, world, "sarif")[1])["runs"][0]
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["id"]
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert len(rule["properties"]["tags"]) <= 10
    for result in run["results"]:
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith(("/", "file:"))
        assert "\\" not in uri
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_a_fingerprint_stays_when_lines_move(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    prints = []
    for lines in ((f"{API}:1",), ("# a comment", f"{API}:2", f"{API}:1")):
        source = write(tmp_path, image_list(*lines), records({}))
        results = read_sarif(report(capsys, source, "sarif")[1])
        prints.append({each["message"]["text"].split()[0]: each["partialFingerprints"] for each in results})
    assert prints[0][f"{API}:1"] == prints[1][f"{API}:1"]


def test_sarif_keeps_the_most_urgent_of_more_results_than_github_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, world: Path
) -> None:
    monkeypatch.setattr("patchgate.cli.report_sarif.SARIF_RESULTS", 2)
    results = read_sarif(report(capsys, world, "sarif")[1])
    assert [result["ruleId"] for result in results] == ["SlaBreached", "Stale"]


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
    headline, empty, summary, again, header, rule, first, *_, third, _ = out.splitlines()
    assert summary.startswith("5 images: 1 breached, 1 within SLA, ")
    assert again == ""
    assert headline == "**1 of 5 images breach the patch SLA** (5 shown, 2026-05-09T12:00:00Z)"
    assert (empty, header) == ("", "| Image | State | Time left | Approved | Message |")
    assert rule == "| --- | --- | --- | --- | --- |"
    assert third == (
        f"| `{API}:1.4.2` | `patched` | - | `{API}:1.4.2-patched-20260509"
        "@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2` "
        "| `2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2` |"
    )
    assert "| `failed` | `breached 2 d ago` | - |" in first


def test_markdown_of_nothing_is_a_headline(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = report(capsys, write(tmp_path, image_list()), "markdown")
    assert (code, out) == (0, "**No image breaches the patch SLA** (0 shown, 2026-05-09T12:00:00Z)\n")


def test_a_hostile_message_stays_in_its_cell_of_markdown(capsys: pytest.CaptureFixture[str], world: Path) -> None:
    rows = report(capsys, world, "markdown")[1].splitlines()[6:]
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
    assert (code, len(out.splitlines())) == (0, 4)


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
