"""Bases for linux/arm64 beside those for linux/amd64, of Debian's packages, which are unpacked and never run."""

import tempfile
from pathlib import Path
from typing import Final

from tests.node.image_build import PYTHON, Build, Builder
from tests.patch.debian_suites import read_suites, run
from tests.patch.oci_layout import SETTINGS, write_layout
from tests.patch.root_filesystem import OPTIONS, RootFilesystem, write_layer

PYTHONS: Final = "python:tests"
"""An index of both platforms."""
PLATFORMS: Final = ("linux/amd64", "linux/arm64")
_PACKAGES: Final = "ca-certificates,python3"


def make_pythons(builder: Builder) -> None:
    """Make PYTHONS in the builder's registry, of PYTHON and of Debian's arm64 packages."""
    repository = PYTHON.partition(":")[0]
    layout = builder.folder / "python-arm64"
    settings = {**SETTINGS, "User": "0"}
    with tempfile.TemporaryDirectory(prefix="arm64-") as folder:
        write_layout(layout, _unpack(Path(folder)), PLATFORMS[1:], settings=settings)
        builder.registry.push(layout, repository, "arm64")
    context = builder.folder / "pythons"
    context.mkdir()
    lines = ("ARG TARGETARCH", f"FROM {builder.name(repository)}:${{TARGETARCH}}")
    (context / "Dockerfile").write_text("\n".join(lines), encoding="utf-8")
    builder.build(PYTHONS, context, Build(platforms=PLATFORMS))


def _unpack(folder: Path) -> RootFilesystem:
    """Unpack Python's and what it needs into a layer in the folder."""
    foreign = [each for each in OPTIONS if not each.startswith(("--variant=", "--architectures="))]
    flags = (*foreign, "--variant=extract", "--architectures=arm64", f"--include={_PACKAGES}")
    suites = read_suites()
    run("mmdebstrap", *flags, suites.codename, str(folder / "root.tar"), suites.first.line)
    write_layer(folder / "root.tar", folder)
    return RootFilesystem(folder)
