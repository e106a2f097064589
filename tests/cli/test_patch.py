"""`patchgate patch`: what it prints, logs, writes and exits with, and how it ends when it is told to."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.patch_ground import MANIFEST, Ground, open_ground, sign
from tests.command import run_patchgate
from tests.conftest import START_SECONDS, wait_until
from tests.patcher.http_server import Reply
from tests.patcher.programs import PATH


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with open_ground(tmp_path) as opened:
        yield opened


def run(ground: Ground, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    return run_patchgate(capsys, *ground.arguments, *arguments)


def read_log(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_prints_each_image_and_a_sum(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    one, gone = ground.have_listed("1.0", "gone")
    code, out, _ = run(ground, capsys)
    head, *rows, total = out.splitlines()
    assert code == 1
    assert head.split() == ["IMAGE", "RESULT", "FINDINGS", "TIME", "MESSAGE"]
    assert [re.split("  +", row)[:3] for row in rows] == [[one, "clean", "-"], [gone, "failed", "-"]]
    assert re.fullmatch(r"2 images: 1 clean, 1 failed, in \d+ s", total)
    assert run_patchgate(capsys, "check", "--source", str(ground.configmaps), one)[0] == 0


def test_a_run_says_the_same_as_one_line_of_json(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    (image,) = ground.have_listed("1.0")
    code, out, _ = run(ground, capsys, "-o", "json")
    (line,) = out.splitlines()
    answer = json.loads(line)
    assert (code, answer["exit_code"], answer["results"]["clean"]) == (0, 0, 1)
    assert answer["images"][0] == {
        "image": image,
        "result": "clean",
        "message": "nothing to fix at CRITICAL or above",
        "fixable_before": {},
        "fixable_after": {},
        "seconds": answer["images"][0]["seconds"],
    }


def test_where_nobody_looks_on_each_step_is_a_line_of_the_log(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    (image,) = ground.have_listed("1.0")
    _, _, err = run(ground, capsys)
    lines = read_log(err)
    assert [(line["event"], line.get("step")) for line in lines] == [
        ("step", "resolve"),
        ("step", "scan"),
        ("step", "record"),
        ("image", None),
        ("ended", None),
    ]
    assert {line["image"] for line in lines[:4]} == {image}
    assert (lines[-1]["exit_code"], lines[-1]["results"]) == (0, {"clean": 1})


def test_what_of_the_data_does_not_count_is_logged(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.have_listed("1.0", "no tag")
    code, _, err = run(ground, capsys)
    (told,) = [line for line in read_log(err) if line["event"] == "does not count"]
    assert (code, told["configmap"], told["place"]) == (0, "copa-image-list", "line 2")


def test_a_dry_run_says_what_would_be_done_and_does_none_of_it(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    one, gone = ground.have_listed("1.0", "gone")
    code, out, _ = run(ground, capsys, "--dry-run")
    assert [re.split("  +", row.rstrip())[:2] for row in out.splitlines()] == [
        ["IMAGE", "WOULD"],
        [one, "scan"],
        [gone, "fail"],
    ]
    assert code == 1
    assert {seen.split()[0] for seen in ground.registry.seen} == {"HEAD"}
    assert [path.name for path in ground.configmaps.iterdir()] == ["copa-image-list.yaml"]
    code, out, _ = run(ground, capsys, "--dry-run", "-o", "json", one)
    assert (code, [image["action"] for image in json.loads(out)["images"]]) == (0, ["scan"])


def test_named_images_alone_are_patched(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    one, _ = ground.have_listed("1.0", "2.0")
    _, out, _ = run(ground, capsys, "-o", "json", one)
    assert [image["image"] for image in json.loads(out)["images"]] == [one]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["registry.example.com/not/listed:1"], "registry.example.com/not/listed:1 is in no image list"),
        (["--trivy", "no-such-program"], "cannot start no-such-program"),
        (["--copa", "no-such-program"], "cannot start no-such-program"),
        (["--buildkit", "nowhere"], "BuildKit's address is unix:///PATH or tcp://HOST:PORT, and not nowhere"),
        (
            ["--registry-mirror", "docker.io"],
            "--registry-mirror docker.io: write HOST[/PREFIX] = HOST[/PREFIX], such as docker.io=",
        ),
    ],
)
def test_what_cannot_start_exits_2_and_says_so_in_a_line(
    ground: Ground, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    ground.have_listed("1.0")
    code, out, err = run(ground, capsys, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"patchgate: {said}")
    assert not (ground.configmaps / "copa-patched-digests.yaml").exists()


def test_a_wrong_policy_exits_2(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.have_listed("1.0", severity_threshold="SEVERE")
    code, _, err = run(ground, capsys)
    assert code == 2
    assert "severity_threshold" in err


@pytest.mark.parametrize(
    ("shard", "said"),
    [(("0", ""), "JOB_COMPLETION_INDEX is set and JOB_COMPLETIONS is not"), (("2", "2"), "JOB_COMPLETION_INDEX is 2")],
)
def test_a_shard_that_is_none_exits_2(
    ground: Ground,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    shard: tuple[str, str],
    said: str,
) -> None:
    ground.have_listed("1.0")
    for name, text in zip(("JOB_COMPLETION_INDEX", "JOB_COMPLETIONS"), shard, strict=True):
        monkeypatch.setenv(name, text)
    code, _, err = run(ground, capsys)
    assert code == 2
    assert err.startswith(f"patchgate: {said}")


def test_the_end_is_said_in_a_line_where_kubernetes_looks_for_it(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    log = ground.directory / "termination-log"
    run(ground, capsys, "--copa", "no-such-program")
    assert not log.exists(), "where nobody looks for it there is no such file"
    log.touch()
    _, gone = ground.have_listed("1.0", "gone")
    run(ground, capsys)
    line = log.read_text(encoding="utf-8")
    assert re.fullmatch(rf"2 images: 1 clean, 1 failed, in \d+ s; {re.escape(gone)}: is not in its registry.*\n", line)
    run(ground, capsys, "--copa", "no-such-program")
    assert log.read_text(encoding="utf-8").startswith("could not start: cannot start no-such-program")


def test_a_metrics_file_says_what_the_run_was_like(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.have_listed("1.0", "gone")
    file = ground.directory / "patchgate.prom"
    run(ground, capsys, "--metrics-file", str(file))
    lines = file.read_text(encoding="utf-8").splitlines()
    for line in (
        'patchgate_patch_images{result="clean"} 1.0',
        'patchgate_patch_images{result="patched"} 0.0',
        'patchgate_patch_records{state="failed"} 1.0',
        'patchgate_patch_fixable_findings{severity="CRITICAL",when="before"} 0.0',
        "patchgate_patch_exit_code 1.0",
    ):
        assert line in lines
    assert [path.name for path in ground.directory.glob("*.prom*")] == [file.name], "written whole, nothing beside it"


def test_a_metrics_file_that_cannot_be_written_is_warned_of(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.have_listed("1.0")
    code, out, err = run(ground, capsys, "--metrics-file", str(ground.directory / "none" / "patchgate.prom"))
    assert (code, "clean" in out) == (0, True)
    assert [line["event"] for line in read_log(err)][-1] == "odd"


def test_a_secret_of_the_docker_config_is_nowhere(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "correct-horse-battery"  # noqa: S105 -- of a registry that lives for a test
    auths = {ground.registry.host: {"username": "robot", "password": secret}}
    (ground.directory / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")
    ground.have_trivy(f"echo 'login failed for {secret} at https://robot:{secret}@{ground.registry.host}' >&2; exit 1")
    ground.have_listed("1.0")
    (ground.directory / "termination-log").touch()
    code, out, err = run(ground, capsys)
    assert (code, "***" in out) == (1, True)
    written = [path.read_text(encoding="utf-8") for path in (*ground.configmaps.glob("*.yaml"),)]
    written.append((ground.directory / "termination-log").read_text(encoding="utf-8"))
    assert not [text for text in (out, err, *written) if secret in text]


def start_scan(ground: Ground) -> "subprocess.Popen[str]":
    """Start a run, and wait until it scans the first of two images."""
    ground.have_listed("1.0", "2.0")
    ground.have_trivy(f"trap '' TERM; touch {ground.directory}/scanning; sleep 1000 & echo $! > $0.child; wait; wait")
    process = ground.start("--jobs", "1")
    child = ground.directory / "trivy.child"
    wait_until(lambda: child.exists() and child.read_text(encoding="utf-8").endswith("\n"))
    return process


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_sigterm_ends_the_programs_says_what_was_left_and_exits_1(ground: Ground) -> None:
    process = start_scan(ground)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1, err
    assert out.splitlines()[-1].startswith("2 images: 2 left, in ")
    assert out.count("left for the next run: told to end by SIGTERM") == 2
    assert list((ground.directory / "tmp").iterdir()) == []
    child = int((ground.directory / "trivy.child").read_text(encoding="utf-8"))
    wait_until(lambda: not is_alive(child))
    records = (ground.configmaps / "copa-patched-digests.yaml").read_text(encoding="utf-8")
    assert '"pending"' in records
    assert '"unended"' not in records, "it was given up in an orderly way"


def test_a_second_signal_ends_it_at_once_and_leaves_nothing(ground: Ground) -> None:
    process = start_scan(ground)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)  # two at the same instant may arrive as one
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert list((ground.directory / "tmp").iterdir()) == []
    child = int((ground.directory / "trivy.child").read_text(encoding="utf-8"))
    wait_until(lambda: not is_alive(child))


def test_on_a_terminal_a_table_lives_while_it_runs(ground: Ground) -> None:
    (image,) = ground.have_listed("1.0")
    ground.have_trivy('sleep 0.5; while [ "$1" != --output ]; do shift; done; cat "$0.report" > "$2"')
    reader, writer = pty.openpty()
    environment = {"PATH": PATH, "HOME": str(ground.directory), "TERM": "xterm", "COLUMNS": "200"}
    command = [sys.executable, "-m", "patchgate", *ground.arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=writer) as process:
        os.close(writer)
        seen = _read_all(reader)
        assert process.stdout
        out = process.stdout.read().decode()
    assert process.returncode == 0
    assert "being worked on" in seen
    assert re.search(rf"{re.escape(image)}\s+scan linux/amd64", seen)
    assert "clean" in out


def _read_all(reader: int) -> str:
    seen = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # how a terminal without a writer ends (pty(7))
            break
        if not chunk:
            break
        seen += chunk
    os.close(reader)
    return seen.decode()


def test_the_second_run_asks_two_heads(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.have_listed("1.0")
    run(ground, capsys)
    ground.registry.asked.clear()
    code, out, _ = run(ground, capsys, "-o", "json")
    assert (code, json.loads(out)["results"]["unchanged"]) == (0, 1)
    assert ground.registry.seen == [
        "HEAD /v2/shop/api/manifests/1.0",
        f"HEAD /v2/shop/api/manifests/{sign(MANIFEST)}",
    ]


def test_a_registry_that_refuses_is_told_of(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.registry.answer = lambda _: Reply(403)
    ground.have_listed("1.0")
    code, out, _ = run(ground, capsys)
    assert code == 1
    assert "403" in out


def test_the_gate_does_not_pay_for_the_patcher() -> None:
    script = "import sys, patchgate.cli; print([name for name in sys.modules if name.startswith('patchgate.patcher')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
