"""Every image of others is pinned by digest, and `make pins` renews the pins."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgate.errors import RegistryError
from tools.image_pins import DIGEST, DOCKERFILE, find_pins, renew
from tools.modules import BUILDKIT

OLD, NEW = f"sha256:{1:064}", f"sha256:{2:064}"
STAGE = re.compile(r"^FROM (?:--platform=\S+ )?(\S+)(?: AS (\S+))?$", re.MULTILINE)


def answer(digest: str | None) -> Callable[[str, str], str | None]:
    """A registry that has one tag, or none."""

    def find_digest(repository: str, tag: str) -> str | None:
        assert (repository, tag) == ("docker.io/library/python", "3.13.16")
        return digest

    return find_digest


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    file = tmp_path / "Dockerfile"
    file.write_text(f"ARG PYTHON_IMAGE=docker.io/library/python:3.13.16@{OLD}\nFROM ${{PYTHON_IMAGE}}\n")
    return file


def test_every_stage_of_the_dockerfile_starts_from_a_pinned_argument_or_another_stage() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    stages = STAGE.findall(text)
    assert len(stages) == len(re.findall("^FROM", text, re.MULTILINE))
    names = {name for _, name in stages}
    arguments = set(re.findall(r"^ARG (\w+)=\S+:\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE))
    for source, _ in stages:
        assert source in names or source.removeprefix("${").removesuffix("}") in arguments, source


def test_no_stage_copies_or_mounts_from_an_image_that_is_not_pinned() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")
    names = {name for _, name in STAGE.findall(text)}
    assert set(re.findall(r"(?:--from=|[=,]from=)([\w./:@${}-]+)", text)) <= names
    assert "# syntax=" not in text  # the frontend is BuildKit's own, not one that is pulled by tag


def test_three_images_of_others_are_pinned_each_to_one_release() -> None:
    pins = list(find_pins())
    assert [pin.repository for pin in pins] == [
        "docker.io/library/python",
        "docker.io/library/golang",
        "docker.io/moby/buildkit",
    ]
    for pin in pins:
        assert DIGEST.fullmatch(pin.digest), pin
        assert re.match(r"v?\d+\.\d+\.\d+-", pin.tag), pin


def test_the_buildkit_of_the_chart_is_the_release_that_the_tests_run() -> None:
    *_, buildkit = find_pins()
    assert buildkit.tag == f"{BUILDKIT.version}-rootless"


def test_a_tag_that_was_rebuilt_gets_its_new_digest(dockerfile: Path) -> None:
    (pin, _) = find_pins(dockerfile)
    assert "is sha256:0" in renew(pin, answer(NEW))
    assert dockerfile.read_text().splitlines()[0].endswith(f"python:3.13.16@{NEW}")


def test_a_tag_that_was_not_rebuilt_changes_nothing(dockerfile: Path) -> None:
    before = dockerfile.read_text()
    (pin, _) = find_pins(dockerfile)
    assert "still is" in renew(pin, answer(OLD))
    assert dockerfile.read_text() == before


def test_a_tag_that_is_gone_is_an_error_and_the_pin_stays(dockerfile: Path) -> None:
    before = dockerfile.read_text()
    (pin, _) = find_pins(dockerfile)
    with pytest.raises(RegistryError, match=r"python:3\.13\.16 is not in its registry"):
        renew(pin, answer(None))
    assert dockerfile.read_text() == before
