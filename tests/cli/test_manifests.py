"""`patchgate check -f`: manifests as files, directories and standard input; each workload in its own namespace."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import pipe_in, run_patchgate
from tests.world import FIXTURES

SOURCE = str(FIXTURES / "configmaps")
MANIFESTS = FIXTURES / "manifests"
POD = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{image: nginx}]}}"


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    """Run `patchgate check` at the time of the contract's example; gives exit code, standard output and error."""
    return run_patchgate(capsys, "check", "--source", SOURCE, "--now", "2026-05-09T12:00:00Z", *arguments)


def list_items(out: str) -> list[tuple[str, str]]:
    """Each item of the JSON as (workload, reason)."""
    return [(item["workload"], item["reason"]) for item in json.loads(out)["images"]]


def test_each_workload_of_a_list_is_judged_in_its_own_namespace(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = check(capsys, "-f", str(MANIFESTS / "frontend.yaml"), "-o", "json")
    assert (code, err) == (1, "")
    assert list_items(out) == [
        ("Pod staging/frontend", "Excepted"),
        ("Deployment preview-12/frontend", "Excepted"),
        ("Pod production/frontend", "SlaBreached"),
        ("Job default/smoke-test-", "SlaBreached"),
    ]


def test_the_namespace_given_is_for_workloads_that_name_none(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(capsys, "-f", str(MANIFESTS / "frontend.yaml"), "-n", "staging", "-o", "json")
    assert list_items(out)[2:] == [("Pod production/frontend", "SlaBreached"), ("Job staging/smoke-test-", "Excepted")]


def test_documents_without_an_image_are_passed_over(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(capsys, "--filename", str(MANIFESTS / "more" / "shop.yaml"), "-o", "json")
    assert code == 0
    assert list_items(out) == [
        ("Deployment shop/api", "Approved"),
        ("Deployment shop/api", "Approved"),
        ("CronJob shop/report", "WithinSla"),
    ]


def test_a_directory_stands_for_every_manifest_below_it_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(capsys, "-f", str(MANIFESTS), "-o", "json")
    assert code == 1
    assert [name for name, _ in list_items(out)] == [
        "Pod staging/frontend",
        "Deployment preview-12/frontend",
        "Pod production/frontend",
        "Job default/smoke-test-",
        "StatefulSet shop/db",
        "Deployment shop/api",
        "Deployment shop/api",
        "CronJob shop/report",
    ]


def test_images_come_before_manifests_and_manifests_in_the_order_given(capsys: pytest.CaptureFixture[str]) -> None:
    more = MANIFESTS / "more"
    code, out, _ = check(capsys, "-f", str(more / "shop.yaml"), "-f", str(more / "db.json"), "nginx", "-o", "json")
    items = json.loads(out)["images"]
    assert code == 0
    assert "workload" not in items[0]
    assert [item["image"] for item in items] == [
        "nginx",
        "registry.example.com/shared/nginx-base:1.25.3",
        "registry.example.com/myapp/api:1.4.2-patched-20260509",
        "registry.example.com/myapp/worker:2.1.0",
        "postgres:16",
    ]


def test_the_table_names_the_workload_of_each_image(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = check(capsys, "nginx", "-f", str(MANIFESTS / "frontend.yaml"))
    header, image, *rows = out.splitlines()
    assert header.split()[:3] == ["WORKLOAD", "VERDICT", "REASON"]
    assert image.split()[:2] == ["allowed", "NotTracked"]
    assert [row.split()[:4] for row in rows] == [
        ["Pod", "staging/frontend", "warned", "Excepted"],
        ["Deployment", "preview-12/frontend", "warned", "Excepted"],
        ["Pod", "production/frontend", "denied", "SlaBreached"],
        ["Job", "default/smoke-test-", "denied", "SlaBreached"],
    ]


def test_a_dash_is_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, f"---\n{POD}\n---\n{POD}\n")
    code, out, _ = check(capsys, "-f", "-", "-o", "json")
    assert code == 0
    assert list_items(out) == [("Pod default/a", "NotTracked"), ("Pod default/a", "NotTracked")]


def test_manifests_can_be_piped_into_the_process() -> None:
    command = [sys.executable, "-m", "patchgate", "check", "-f", "-", "--source", SOURCE, "-o", "json"]
    text = POD.replace("nginx", "registry.example.com/myapp/frontend:3.0.1")
    done = subprocess.run(command, input=text, capture_output=True, check=False, text=True, timeout=180)
    assert done.returncode == 1
    assert list_items(done.stdout) == [("Pod default/a", "SlaBreached")]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{apiVersion: v1, kind: Pod, spec: {containers: [{image: nginx}]}}", "Pod default/?"),
        ("{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{image: nginx}]}}", "Pod default/?"),
        (
            "{apiVersion: v1, kind: Pod, metadata: {namespace: ''}, spec: {containers: [{image: nginx}]}}",
            "Pod default/?",
        ),
    ],
)
def test_a_workload_without_a_name_is_judged_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    pipe_in(monkeypatch, text)
    code, out, _ = check(capsys, "-f", "-", "-o", "json")
    assert (code, list_items(out)) == (0, [(name, "NotTracked")])


@pytest.mark.parametrize("text", ["{apiVersion: v1, kind: Service}", "{kind: List, items: []}"])
def test_manifests_without_any_image_are_allowed_and_say_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    pipe_in(monkeypatch, text)
    assert check(capsys, "-f", "-") == (0, "no image to judge\n", "")


@pytest.mark.parametrize(
    "name", ['"[red]a[/red]"', '"a\\0b"', '"a\\nallowed Approved"', '"\\e[31m"', "x" * 5000, '"[/]"']
)
def test_a_hostile_name_of_a_workload_does_not_break_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    pipe_in(monkeypatch, POD.replace("name: a", f"name: {name}"))
    code, out, err = check(capsys, "-f", "-")
    _, row = out.splitlines()
    assert (code, err) == (0, "")
    assert row.startswith("Pod default/")
    assert row.rstrip().endswith("allowed  NotTracked  nginx: its repository is not tracked")
    assert row.isprintable()
    assert len(row) < 600


def test_a_long_name_of_a_workload_is_cut_at_200_characters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, POD.replace("name: a", f"name: {'x' * 5000}"))
    _, out, _ = check(capsys, "-f", "-", "-o", "json")
    assert list_items(out) == [("Pod default/" + "x" * 187 + "…", "NotTracked")]


def test_markup_in_a_name_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, POD.replace("name: a", "name: '[red]a[/red]'"))
    _, out, _ = check(capsys, "-f", "-")
    assert "Pod default/[red]a[/red]  allowed" in out


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xc3(", "not UTF-8 text: save it as UTF-8"),
        (b"\xff\xfe\x00", "not UTF-16 text: save it as UTF-8"),
        (b"\x7fELF\x01\x00", "not YAML: unacceptable character #x007f"),
        (b"just text", "a document without `kind` is no object of the Kubernetes API"),
        (b"", "empty, so no manifest"),
        (b"---\n", "empty, so no manifest"),
        (b"kind: [", "not YAML: while parsing"),
        (b"kind: !!bool maybe", "not YAML: "),
        (b"kind: List\nitems: &me [{kind: List, items: *me}]", "an alias of what holds it"),
        (b"{apiVersion: v1, kind: Pod, spec: []}", "Pod: spec: must be an object"),
        (
            b"{apiVersion: apps/v1, kind: Deployment, spec: {template: {spec: {containers: [{image: 5}]}}}}",
            "Deployment: spec.template.spec.containers.0.image: must be a text",
        ),
        (b"{apiVersion: v1, kind: Pod, metadata: {name: 5}}", "Pod: metadata.name: must be a text"),
    ],
)
def test_what_is_no_manifest_is_one_line_that_says_which_and_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, fault: str
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    code, out, err = check(capsys, "-f", str(file))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"patchgate: {file}: {fault}")


def test_standard_input_that_is_no_text_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, b"\xff\xfe\x00")
    code, out, err = check(capsys, "-f", "-")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("patchgate: standard input: not UTF-16 text: save it as UTF-8")


def test_standard_input_that_is_no_yaml_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, "just text")
    assert check(capsys, "-f", "-") == (
        2,
        "",
        "patchgate: standard input: a document without `kind` is no object of the Kubernetes API\n",
    )


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("missing.yaml", "No such file or directory; name a manifest, a directory or -"),
        ("empty", "no .json, .yaml, .yml file in this directory"),
        ("x" * 300, "File name too long; name a manifest, a directory or -"),
    ],
)
def test_a_path_that_is_no_manifest_is_one_line_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, fault: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.md").write_text("", encoding="utf-8")
    path = tmp_path / name
    assert check(capsys, "-f", str(path)) == (2, "", f"patchgate: {path}: {fault}\n")
