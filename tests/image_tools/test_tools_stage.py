"""The Dockerfile's stage that builds Trivy and Copa, which every other test is spared by giving it what is built."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.groups import leave_out
from tests.image_tools.go_image import make_go
from tests.node.image_build import PYTHON, Build, Builder
from tests.node.release_images import REPOSITORY, VERSION
from tests.patch.buildkit import run_buildkit
from tests.patch.debian_suites import run
from tests.patch.registry import run_registry
from tools.build import find_programs
from tools.cache import find_cache
from tools.debian import PACKAGES, find_missing
from tools.go import get_go
from tools.modules import BUILDKIT, COPA, TRIVY

IMAGE = "patchgate/patcher:whole"
BUILD_SECONDS = 7200.0


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    programs = find_programs(BUILDKIT, find_cache())
    if programs is None or find_missing(PACKAGES["patch"]):
        leave_out("BuildKit, or a package of Debian's, is not here; make tools image-tools has both, as root on Debian")
    folder = tmp_path_factory.mktemp("buildkit")
    with (
        run_registry(tmp_path_factory.mktemp("registry")) as registry,
        run_buildkit(programs, folder, [registry.address], registry.address) as buildkit,
    ):
        yield Builder(programs / "buildctl", buildkit, registry, folder, BUILD_SECONDS)


@pytest.fixture(scope="module")
def programs(builder: Builder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /usr/local/bin of a patcher that was built from nothing but the pins."""
    builder.make_python()
    go = make_go(builder, get_go(find_cache()))
    arguments = {"PYTHON_IMAGE": builder.name(PYTHON), "GO_IMAGE": builder.name(go.image), "VERSION": VERSION}
    builder.build(IMAGE, REPOSITORY, Build(target="patcher", arguments={**arguments, "GOPROXY": go.proxy}))
    folder = tmp_path_factory.mktemp("patcher")
    source = f"docker://{builder.name(IMAGE)}"
    run("skopeo", "--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", source, f"dir:{folder}")
    for layer in json.loads((folder / "manifest.json").read_bytes())["layers"]:
        with tarfile.open(folder / layer["digest"].removeprefix("sha256:")) as tar:
            names = [each for each in tar if each.name in {"usr/local/bin/trivy", "usr/local/bin/copa"}]
            tar.extractall(folder, names, filter="data")
    return folder / "usr/local/bin"


def say_version(program: Path) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


def test_it_builds_the_pinned_trivy_and_copa(programs: Path) -> None:
    assert f"Version: {TRIVY.version.removeprefix('v')}" in say_version(programs / "trivy")
    assert COPA.version.removeprefix("v") in say_version(programs / "copa")
