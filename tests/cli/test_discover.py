"""`patchgate discover` of manifests: the table, the JSON by repository, and the lines that images.txt lacks."""

import json
import re
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.image_list import read_main_list
from tests.command import pipe_in, run_patchgate
from tests.world import FIXTURES

SOURCE = str(FIXTURES / "configmaps")
API = "registry.example.com/myapp/api"
MANIFEST = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  template:
    spec:
      initContainers: [{{name: wait, image: busybox}}]
      containers: [{{name: api, image: '{API}:1.4.2'}}, {{name: proxy, image: 'nginx:1.25'}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: lone}}
spec:
  containers: [{{name: api, image: '{API}:9'}}, {{name: proxy, image: 'docker.io/library/nginx:1.25'}}]
---
apiVersion: v1
kind: Service
metadata: {{name: web}}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    file = tmp_path / "all.yaml"
    file.write_text(MANIFEST, encoding="utf-8")
    return str(file)


def discover(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    return run_patchgate(capsys, "discover", "--now", "2026-05-09T12:00:00Z", *arguments)


def test_what_manifests_would_run_with_its_verdicts_and_the_lines_to_add(
    capsys: pytest.CaptureFixture[str], manifest: str
) -> None:
    code, out, err = discover(capsys, "-f", manifest, "--source", SOURCE)
    assert (code, err) == (0, "")
    table, counts, hint, lines = out.split("\n\n")
    assert [re.split("  +", row) for row in table.splitlines()] == [
        ["IMAGE", "VERDICT", "REASON", "USED BY"],
        ["docker.io/library/busybox:latest", "allowed", "NotTracked", "Deployment shop/web"],
        ["docker.io/library/nginx:1.25", "allowed", "NotTracked", "Deployment shop/web, Pod default/lone"],
        [f"{API}:1.4.2", "denied", "PatchAvailable", "Deployment shop/web"],
        [f"{API}:9", "denied", "Unlisted", "Pod default/lone"],
    ]
    assert counts == "4 images of 3 repositories in 2 workloads: 2 denied, 0 warned, 2 allowed"
    assert "add to images.txt of the ConfigMap copa-image-list:" in hint
    assert lines == discover(capsys, "-f", manifest, "--source", SOURCE, "-o", "list")[1]


def test_the_lines_are_an_image_list(capsys: pytest.CaptureFixture[str], manifest: str) -> None:
    code, out, err = discover(capsys, "-f", manifest, "--source", SOURCE, "-o", "list")
    assert (code, err) == (0, "")
    read = read_main_list(ConfigMap("copa-image-list", {}, {"images.txt": out}), None)
    assert read.problems == ()
    assert {name: [line.tag for line in lines] for name, lines in read.lines.items()} == {
        "docker.io/library/busybox": ["latest"],
        "docker.io/library/nginx": ["1.25"],
        API: ["9"],
    }


def test_the_json_is_grouped_by_repository(capsys: pytest.CaptureFixture[str], manifest: str) -> None:
    code, out, _ = discover(capsys, "-f", manifest, "-n", "blog", "--source", SOURCE, "-o", "json")
    found = json.loads(out)
    assert code == 0
    assert [group["repository"] for group in found["repositories"]] == [
        "docker.io/library/busybox",
        "docker.io/library/nginx",
        API,
    ]
    nginx, api = (group["images"] for group in found["repositories"][1:])
    assert nginx[0]["workloads"] == ["Deployment shop/web", "Pod blog/lone"]
    assert [(image["image"], image["reason"], image["listed"]) for image in api] == [
        (f"{API}:1.4.2", "PatchAvailable", True),
        (f"{API}:9", "Unlisted", False),
    ]
    assert found["not_listed"] == ["docker.io/library/busybox:latest", "docker.io/library/nginx:1.25", f"{API}:9"]


def test_without_any_list_everything_is_still_to_list(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe_in(monkeypatch, MANIFEST)
    code, out, err = discover(capsys, "-f", "-", "-o", "list")
    assert (code, err) == (0, "")
    assert out == (
        "docker.io/library/busybox:latest  # Deployment shop/web\n"
        "docker.io/library/nginx:1.25  # Deployment shop/web, Pod default/lone\n"
        f"{API}:1.4.2  # Deployment shop/web\n"
        f"{API}:9  # Pod default/lone\n"
    )


def test_a_directory_without_the_list_is_said_and_tracks_nothing(
    capsys: pytest.CaptureFixture[str], manifest: str, tmp_path: Path
) -> None:
    (tmp_path / "lists").mkdir()
    code, out, err = discover(capsys, "-f", manifest, "--source", str(tmp_path / "lists"))
    assert (code, err) == (0, "warning: copa-image-list: is not there: nothing is tracked yet\n")
    assert "0 denied, 0 warned, 4 allowed" in out


def test_many_workloads_of_one_image_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"p{number}"},
            "spec": {"containers": [{"name": "a", "image": "nginx:1"}]},
        }
        for number in range(5)
    ]
    file = tmp_path / "pods.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}), encoding="utf-8")
    out = discover(capsys, "-f", str(file), "-o", "list")[1]
    assert out == "docker.io/library/nginx:1  # Pod default/p0, Pod default/p1, Pod default/p2 and 2 more\n"


def test_a_hostile_name_adds_no_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    name = "x\nregistry.example.com/evil:1"
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{"image": "nginx"}]}}
    file = tmp_path / "pod.json"
    file.write_text(json.dumps(pod), encoding="utf-8")
    assert len(discover(capsys, "-f", str(file), "-o", "list")[1].splitlines()) == 1


def test_a_dump_of_a_cluster_is_folded_as_the_cluster_is(capsys: pytest.CaptureFixture[str]) -> None:
    dump = Path(__file__).parents[1] / "cases" / "check" / "14-kubectl-get-all.yaml"
    code, out, _ = discover(capsys, "-f", str(dump), "-o", "json")
    found = json.loads(out)
    workloads = {image["image"]: image["workloads"] for group in found["repositories"] for image in group["images"]}
    assert code == 0
    assert workloads == {
        "registry.example.com/shared/nginx-base:1.25.3": [
            "CronJob shop/nightly",
            "Database shop/db",
            "Deployment shop/web",
        ],
        "registry.example.com/shop/api:1.4.2": ["Deployment shop/web"],
    }
    assert [each["what"] for each in found["not_judged"]] == ["Pod", "ReplicaSet", "Job"]


def test_a_fault_is_named_and_the_rest_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: [", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(MANIFEST, encoding="utf-8")
    code, out, err = discover(capsys, "-f", str(tmp_path))
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"patchgate: {tmp_path / 'a.yaml'}: not YAML: ")
    assert "Deployment shop/web" in out


def test_nothing_to_look_at_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = discover(capsys, "--source", SOURCE)
    assert (code, out) == (2, "")
    assert err == "patchgate: discover: give --kubernetes for what runs there, or a manifest with -f\n"
