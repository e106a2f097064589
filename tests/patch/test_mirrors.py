"""A mirror with a path, as the real BuildKit asks it: `docker.io = HOST/hub` is asked for below `/v2/hub/`."""

import os
import subprocess
from pathlib import Path

from tests.groups import leave_out
from tests.patch.buildkit import run_buildkit
from tests.patch.registry import run_registry
from tests.patch.test_registry_client import put
from tools.build import find_programs
from tools.cache import find_cache
from tools.debian import find_missing
from tools.modules import BUILDKIT

BUILD_SECONDS = 120


def test_buildkit_asks_a_mirror_below_its_path(tmp_path: Path) -> None:
    programs = find_programs(BUILDKIT, find_cache())
    if os.geteuid() != 0 or not programs or find_missing(["docker-registry"]):
        leave_out("BuildKit needs root here and is built once; docker-registry is of Debian")
    (tmp_path / "Dockerfile").write_text("FROM docker.io/library/thing:1.0\n", encoding="utf-8")
    for name in ("registry", "buildkit"):
        (tmp_path / name).mkdir()
    with (
        run_registry(tmp_path / "registry") as registry,
        run_buildkit(programs, tmp_path / "buildkit", [registry.address], f"{registry.address}/hub") as buildkit,
    ):
        put(registry, ["1.0"], "hub/library/thing")
        mark = registry.mark()
        done = subprocess.run(
            [
                *(str(buildkit.client), "--addr", buildkit.address, "build", "--frontend", "dockerfile.v0"),
                *("--local", f"dockerfile={tmp_path}", "--local", f"context={tmp_path}", "--progress", "plain"),
            ],
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        asked = {(each.repository, each.reference) for each in registry.read_requests(mark) if each.kind == "manifests"}
        assert ("hub/library/thing", "1.0") in asked
        assert {repository for repository, _ in asked} == {"hub/library/thing"}
