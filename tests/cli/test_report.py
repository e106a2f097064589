"""`patchgate report`: every listed image, its state and time left, as a table and as JSON."""

import json
import re
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from tests.cli.reporting import API, SOURCE, report, write
from tests.world import clean, digest, hours_ago, image_list, patched, record, records


def test_the_contracts_example_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = report(capsys)
    assert (code, err) == (1, "")
    *rows, empty, summary = out.splitlines()
    assert [re.split("  +", line) for line in rows] == [
        ["IMAGE", "STATE", "TIME LEFT", "APPROVED", "MESSAGE"],
        [
            "registry.example.com/myapp/frontend:3.0.1",
            "failed",
            "breached 2 d ago",
            "-",
            (
                "push refused: 403 from registry.example.com; "
                "give copa-registry-credentials the right to push to myapp/frontend"
            ),
        ],
        [
            "registry.example.com/myapp/worker:2.1.0",
            "pending",
            "12 h 5 min",
            "-",
            (
                "still 1 CRITICAL finding after the patch: CVE-2026-11111 in libxml2; "
                "the package mirror does not carry the fix yet"
            ),
        ],
        [
            "registry.example.com/shared/python-base:3.12.*",
            "unscanned",
            "-",
            "-",
            "the patcher has not looked at it yet",
        ],
        [
            f"{API}:1.4.2",
            "patched",
            "-",
            f"{API}:1.4.2-patched-20260509@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2",
            "2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2",
        ],
        [
            "registry.example.com/shared/nginx-base:1.25.3",
            "clean",
            "-",
            (
                "registry.example.com/shared/nginx-base:1.25.3"
                "@sha256:daa2932c4b1eeca74d3c5a17eadf53ebd249ed18033cae942cb7433ceae4d424"
            ),
            "nothing to fix at CRITICAL or above",
        ],
    ]
    assert (empty, summary) == (
        "",
        "5 images: 1 breached, 1 within SLA, 1 unscanned, 2 approved; the next one is refused in 12 h 5 min",
    )


def test_the_columns_of_the_table_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = report(capsys)
    states = ["STATE", "failed", "pending", "unscanned", "patched", "clean"]
    assert [line.index(state) for line, state in zip(out.splitlines(), states, strict=False)] == [48] * 6


def test_the_contracts_example_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = report(capsys, output="json")
    images = json.loads(out)["images"]
    assert (code, err) == (1, "")
    assert [image["state"] for image in images] == ["failed", "pending", "unscanned", "patched", "clean"]
    assert json.loads(out)["summary"] == {
        "images": 5,
        "breached": 1,
        "stale": 0,
        "within_sla": 1,
        "unpatchable": 0,
        "unscanned": 1,
        "approved": 2,
        "bad_lines": 0,
        "next_breach_seconds": 43500,
    }
    assert images[3] == {
        "image": f"{API}:1.4.2",
        "listed_in": "copa-image-list, line 2",
        "state": "patched",
        "approved": f"{API}:1.4.2-patched-20260509"
        "@sha256:3b52617de25a92a1a02cb200ca2d6f0efbc3fe48e233a21c80acffe52586e6c2",
        "verified": "2026-05-09T06:05:20Z",
        "stale": False,
        "breached": False,
        "time_left_seconds": None,
        "fixable_before": {"CRITICAL": 2, "HIGH": 5},
        "fixable_after": {},
        "message": "2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2",
    }
    assert images[2] == {
        "image": "registry.example.com/shared/python-base:3.12.*",
        "listed_in": "copa-image-list, line 6",
        "state": "unscanned",
        "approved": None,
        "verified": None,
        "stale": False,
        "breached": False,
        "time_left_seconds": None,
        "fixable_before": {},
        "fixable_after": {},
        "message": "",
    }


@pytest.mark.parametrize(
    ("hours", "code", "seconds", "shown"),
    [(23, 0, 3600, "1 h"), (24, 1, 0, "breached 0 s ago"), (25, 1, -3600, "breached 1 h ago")],
)
def test_the_report_exits_1_once_an_sla_is_breached(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, hours: int, *, code: int, seconds: int, shown: str
) -> None:
    vulnerable = record(first_vulnerable=hours_ago(hours))
    source = write(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": vulnerable}))
    ended, out, _ = report(capsys, source, "json")
    (image,) = json.loads(out)["images"]
    assert (ended, image["time_left_seconds"], image["breached"]) == (code, seconds, seconds <= 0)
    assert f"  {shown}  " in report(capsys, source)[1]


def test_an_approval_that_is_not_verified_lately_is_stale_and_not_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    source = write(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": clean(f"{API}:1", verified=hours_ago(25))}))
    code, out, _ = report(capsys, source, "json")
    (image,) = json.loads(out)["images"]
    assert (code, image["stale"], image["approved"]) == (0, True, None)
    assert report(capsys, source)[1].splitlines()[1].split()[:4] == [f"{API}:1", "clean", "stale", "-"]


def test_an_approval_in_another_repository_is_named_with_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = "registry.example.com/patched/nginx:1.25-patched-20260509"
    source = write(
        tmp_path,
        image_list("nginx:1.25", push_to="docker.io/library = registry.example.com/patched"),
        records({"docker.io/library/nginx:1.25": patched(target)}),
    )
    code, out, _ = report(capsys, source)
    assert code == 0
    assert out.splitlines()[1].split()[:4] == [
        "docker.io/library/nginx:1.25",
        "patched",
        "-",
        f"{target}@{digest('patched')}",
    ]


def test_a_pattern_is_shown_as_the_images_that_it_stands_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = {f"{API}:1.{number}": record(source_digest=digest(str(number))) for number in (2, 1)}
    source = write(tmp_path, image_list(f"{API}:1.*", f"{API}:2@{digest('two')}"), records(found))
    _, out, _ = report(capsys, source, "json")
    assert [image["image"] for image in json.loads(out)["images"]] == [
        f"{API}:1.1",
        f"{API}:1.2",
        f"{API}:2@{digest('two')}",
    ]


def test_an_empty_list_is_an_empty_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = write(tmp_path, image_list())
    code, out, err = report(capsys, source, "json")
    assert (code, json.loads(out)["images"], json.loads(out)["bad_lines"], err) == (0, [], [], "")
    assert report(capsys, source)[1].splitlines() == ["IMAGE  STATE  TIME LEFT  APPROVED  MESSAGE", "", "0 images"]


@pytest.mark.parametrize("message", ["[red]no[/red]", "[/]", "a\x00b", "two\nlines", "\x1b[2J", "m" * 5000])
def test_a_hostile_message_is_one_row_of_plain_text(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, message: str
) -> None:
    source = write(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": record(message=message)}))
    code, out, _ = report(capsys, source)
    _, row, *_ = out.splitlines()
    assert code == 0
    assert row.split()[1] == "pending"
    assert row.isprintable()
    assert len(row) < 2100


def test_markup_in_a_message_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = write(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": record(message="[red]no[/red]")}))
    assert "[red]no[/red]" in report(capsys, source)[1]


def test_what_does_not_count_is_said_on_standard_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = write(tmp_path, image_list(f"{API}:1"), records({f"{API}:1": record(state="done")}))
    code, out, err = report(capsys, source, "json")
    assert (code, json.loads(out)["images"][0]["state"]) == (0, "unscanned")
    assert err.startswith(f"warning: copa-patched-digests: {API}:1: state: has the unknown value 'done'")
    assert err.count("\n") == 1


def test_as_many_configmaps_of_records_count_as_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ninth = ConfigMap("copa-patched-digests-8", {}, records({f"{API}:1": clean(f"{API}:1")}).data)
    source = write(tmp_path, image_list(f"{API}:1"), ninth)
    assert "unscanned" in report(capsys, source)[1]
    monkeypatch.setenv("PATCHGATE_RECORD_CONFIGMAPS", "8")
    assert "clean" in report(capsys, source)[1]
    assert "unscanned" not in report(capsys, source)[1]


def test_a_line_that_has_no_effect_is_a_row_and_exits_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    world = write(tmp_path, image_list("docker.io/library/redis:7", "nginx  # any"), records())
    code, out, _ = report(capsys, world)
    where, cure = "copa-image-list, line 2", "has no tag: write REPO:TAG or REPO:TAG@DIGEST"
    assert code == 1
    assert re.split("  +", out.splitlines()[1].rstrip()) == ["nginx", "bad line", "-", "-", f"{where}: {cure}"]
    code, out, _ = report(capsys, world, "json")
    assert code == 1
    assert json.loads(out)["bad_lines"] == [{"listed_in": where, "text": "nginx", "message": cure}]
    assert report(capsys, world, "table", "--due", "1h")[0] == 1


def test_what_is_most_urgent_comes_first(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    found = {
        f"{API}:a-approved": clean(f"{API}:a-approved", approved_digest=digest("a")),
        f"{API}:b-later": record(first_vulnerable=hours_ago(2), source_digest=digest("b")),
        f"{API}:c-breached": record(first_vulnerable=hours_ago(30), source_digest=digest("c")),
        f"{API}:d-soon": record(first_vulnerable=hours_ago(23), source_digest=digest("d")),
        f"{API}:e-long-breached": record(first_vulnerable=hours_ago(300), source_digest=digest("e")),
        f"{API}:f-hopeless": record(state="unpatchable", source_digest=digest("f")),
    }
    source = write(tmp_path, image_list(*found, f"{API}:g-new"), records(found))
    _, out, _ = report(capsys, source, "json")
    tags = [image["image"].rpartition(":")[2] for image in json.loads(out)["images"]]
    assert tags == ["e-long-breached", "c-breached", "d-soon", "b-later", "f-hopeless", "g-new", "a-approved"]


def test_exit_zero_is_for_a_step_that_only_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(capsys, SOURCE, "json", "--exit-zero")[0] == 0
    assert report(capsys, Path("/missing"), "json", "--exit-zero")[0] == 2
