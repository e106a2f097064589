"""`patchgate patch` on the real Trivy, Copa, BuildKit and registry: it patches, then asks two HEADs an image."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from patchgate.policy.record import State
from tests.conftest import START_SECONDS
from tests.patch.bench import CLEAN, Bench
from tests.patch.registry import write_docker_config
from tests.patch.scanner import Scanner
from tests.plane.program import PATH

RUN_SECONDS = 300.0


def write_list(directory: Path, *lines: str, **policy: str) -> Path:
    """Write the image list, in the order in which a severity of the least counts."""
    directory.mkdir(exist_ok=True)
    data = {"images.txt": "\n".join(lines) + "\n", "severity_threshold": "LOW", **policy}
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "copa-image-list"}, "data": data}
    (directory / "copa-image-list.yaml").write_text(yaml.safe_dump(obj), encoding="utf-8")
    return directory


def patch(bench: Bench, source: Path, database: Path, *arguments: str) -> tuple[int, dict[str, Any], list[Any]]:
    """Run `patchgate patch`; gives its exit code, its answer, and the lines of its log."""
    command = [
        *(sys.executable, "-m", "patchgate", "patch", "--source", str(source), "-o", "json"),
        *("--trivy", str(bench.programs.trivy), "--copa", str(bench.programs.copa)),
        *("--trivy-cache", str(database), "--skip-db-update", "--buildkit", bench.buildkit.address),
        *("--plain-http", bench.registry.address),
        *("--docker-config", str(write_docker_config(bench.make_folder(), {})), *arguments),
    ]
    environment = {"PATH": PATH, "HOME": os.environ["HOME"], "TMPDIR": str(bench.make_folder())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines()]


def read_records(source: Path) -> dict[str, Any]:
    (document,) = yaml.safe_load_all((source / "copa-patched-digests.yaml").read_text(encoding="utf-8"))
    records: dict[str, Any] = json.loads(document["data"]["records.json"])["records"]
    return records


def check(source: Path, *images: str) -> dict[str, str]:
    """Ask what the gate would say; gives image → reason."""
    command = [sys.executable, "-m", "patchgate", "check", "--source", str(source), "-o", "json", *images]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    return {verdict["image"]: verdict["reason"] for verdict in json.loads(done.stdout)["images"]}


def test_the_first_run_patches_and_the_second_asks_two_heads_an_image(bench: Bench, scanner: Scanner) -> None:
    vulnerable, clean = bench.push("tls", "first/tls", "1.0"), bench.push(CLEAN, "first/clean", "1.0")
    source = write_list(bench.make_folder() / "configmaps", vulnerable, clean)

    code, answer, log = patch(bench, source, scanner.database)
    assert (code, answer["results"]["patched"], answer["results"]["clean"]) == (0, 1, 1), (answer, log)
    record = read_records(source)[vulnerable]
    assert record["state"] == State.PATCHED
    assert record["fixable_before"]
    assert record["fixable_after"] == {}
    approved = f"{record['approved_reference']}@{record['approved_digest']}"
    assert scanner.find(approved, bench.make_folder()) == set()
    tag = record["approved_reference"].rpartition(":")[2]
    assert bench.registry.read_digest("first/tls", tag) == record["approved_digest"]
    assert [name for name in bench.registry.read_tags("first/tls") if "-patched-" in name] == [tag]
    assert check(source, vulnerable, record["approved_reference"], approved, clean) == {
        vulnerable: "PatchAvailable",
        record["approved_reference"]: "Approved",
        approved: "Approved",
        clean: "Approved",
    }

    mark = bench.registry.mark()
    code, answer, log = patch(bench, source, scanner.database)
    assert (code, answer["results"]["unchanged"]) == (0, 2), (answer, log)
    requests = bench.registry.read_requests(mark)
    assert [request.method for request in requests if request.kind == "manifests"] == ["HEAD"] * 4
    assert not [request for request in requests if request.kind.startswith("blobs")]
