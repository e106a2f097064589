"""docs/flux.md: its command prints, for the image that it shows, the marker that it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/flux.md").read_text(encoding="utf-8")
PRINTED = ROOT / "build/demo/flux.yaml"


@pytest.fixture(scope="module")
def printed() -> str:
    """What the document's command prints, on the world of `make run`."""
    subprocess.run([sys.executable, "examples/demo/run.py", "--once"], cwd=ROOT, check=True, timeout=120)
    (command,) = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    script = command.replace(".venv/bin", str(Path(sys.executable).parent))
    subprocess.run(["sh", "-ec", script], cwd=ROOT, check=True, timeout=60)  # noqa: S607
    return PRINTED.read_text(encoding="utf-8")


def test_the_marker_that_it_shows_is_printed_for_that_image(printed: str) -> None:
    (image, marker), *others = re.findall(r'image: (\S+) (# \{"\$imagepolicy": "\S+"\})', TEXT)
    assert others == []
    (policy,) = re.findall(r":(\S+)\"\}", marker)
    assert f" {marker}\n" in printed
    chosen = next(each for each in yaml.safe_load_all(printed) if each["metadata"]["name"] == policy)
    assert re.fullmatch(chosen["spec"]["filterTags"]["pattern"], f"{image.rpartition(':')[2]}-patched-20260509")


def test_its_table_names_the_kinds_that_are_printed(printed: str) -> None:
    kinds = re.findall(r"^\| (?!for|-).+? \| (\w+) \|", TEXT, re.MULTILINE)
    assert kinds == list(dict.fromkeys(each["kind"] for each in yaml.safe_load_all(printed)))


def test_every_flag_that_it_names_is_one_of_the_command() -> None:
    command = [sys.executable, "-m", "patchgate", "flux", "--help"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout
    named = set(re.findall(r"`(--[a-z-]+)`", TEXT))
    assert {"--git-repository", "--interval", "--namespace"} <= named
    assert all(flag in said for flag in named)
