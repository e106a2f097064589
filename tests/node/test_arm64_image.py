"""The gate's image for linux/arm64, built on amd64 without emulation. Nothing here runs it: its files are looked at."""

import json
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.node.arm64_images import PYTHONS, make_pythons
from tests.node.image_build import Build, Builder
from tests.node.release_images import REPOSITORY, VERSION
from tests.patch.debian_suites import run

IMAGE = "patchgate/gate:arm64"
AARCH64 = 183  # EM_AARCH64, elf.h
LIST = "usr/share/patchgate/sbom.cdx.json"


@pytest.fixture(scope="module")
def image(builder: Builder, release_images: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """The image as skopeo copies it: manifest.json, and blobs by their digests."""
    make_pythons(builder)
    arguments = {"PYTHON_IMAGE": builder.name(PYTHONS), "VERSION": VERSION}
    contexts = {"tools": builder.folder / "tools"}
    build = Build(target="gate", arguments=arguments, contexts=contexts, platforms=("linux/arm64",))
    builder.build(IMAGE, REPOSITORY, build)
    folder = tmp_path_factory.mktemp("arm64")
    flags = ("--override-arch=arm64", "--src-tls-verify=false")
    run("skopeo", "--insecure-policy", "copy", "--quiet", *flags, f"docker://{builder.name(IMAGE)}", f"dir:{folder}")
    return folder


def read_blob(image: Path, digest: str) -> Path:
    return image / digest.removeprefix("sha256:")


def walk(image: Path) -> Iterator[tuple[str, bytes]]:
    """Walk over the files of an image's layers: name and content."""
    for layer in json.loads((image / "manifest.json").read_bytes())["layers"]:
        with tarfile.open(read_blob(image, layer["digest"])) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file:
                    yield member.name.removeprefix("./"), file.read()


def test_it_says_that_it_is_for_arm64(image: Path) -> None:
    manifest = json.loads((image / "manifest.json").read_bytes())
    config = json.loads(read_blob(image, manifest["config"]["digest"]).read_bytes())
    assert (config["os"], config["architecture"]) == ("linux", "arm64")
    assert config["config"]["User"] == "65532:65532"


def test_every_program_in_it_is_for_arm64(image: Path) -> None:
    elf = ((name, content) for name, content in walk(image) if content.startswith(b"\x7fELF"))
    machines = {name: struct.unpack_from("<H", content, 18)[0] for name, content in elf}
    assert {name for name, machine in machines.items() if machine != AARCH64} == set()
    ours = [name for name in machines if name.startswith("opt/patchgate/")]
    assert any("pydantic_core" in name for name in ours)
    assert any("uvloop" in name for name in ours)


def test_what_is_in_it_is_listed_though_it_was_not_run(image: Path) -> None:
    (listed,) = [json.loads(content) for name, content in walk(image) if name == LIST]
    assert {"patchgate", "fastapi", "kubernetes"} <= {each["name"] for each in listed["components"]}
