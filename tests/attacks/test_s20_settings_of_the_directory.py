"""S20: settings of Trivy and Copa in the directory where `patchgate patch` is started, in HOME, and in the environment.

A program in the place of Trivy tells what it sees; `tests/patch/test_surroundings.py` has the real one.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.patch_ground import Ground, open_ground
from tests.die_with_parent import die_with_parent
from tests.patcher.programs import PATH

RUN_SECONDS = 120
SETTINGS = (".trivyignore", ".trivyignore.yaml", "trivy.yaml", "trivy-secret.yaml", ".copa.yaml", ".trivy")
LOOK = 'pwd >> "$0.saw"; ls -A . "$HOME" >> "$0.saw"; env >> "$0.saw"\n'


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with open_ground(tmp_path) as opened:
        yield opened


def test_no_setting_of_the_surroundings_reaches_trivy_and_copa(ground: Ground) -> None:
    place = ground.directory / "place"
    place.mkdir()
    for name in SETTINGS:
        (place / name).write_text("CVE-2026-0001\n")
    ground.have_listed("1.0")
    for program in (ground.trivy, ground.copa):
        script = Path(program).read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{LOOK}", 1)
        Path(program).write_text(script)
    hostile = {"TRIVY_IGNOREFILE": str(place / ".trivyignore"), "TRIVY_CONFIG": str(place / "trivy.yaml")}
    hostile |= {"TRIVY_SEVERITY": "LOW", "COPA_EXPERIMENTAL": "1", "XDG_CONFIG_HOME": str(place)}
    hostile |= {"XDG_DATA_HOME": str(place), "DOCKER_HOST": "tcp://192.0.2.1:1", "AWS_SECRET_ACCESS_KEY": "of-a-cloud"}
    done = subprocess.run(
        [*die_with_parent(), sys.executable, "-m", "patchgate", *ground.arguments],
        cwd=place,
        env={"PATH": PATH, "HOME": str(place), "TMPDIR": str(ground.directory / "tmp")}
        | hostile
        | {name: text for name, text in os.environ.items() if name.startswith("COVERAGE")},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for program in (ground.trivy, ground.copa):
        saw = Path(f"{program}.saw").read_text()
        assert str(place) not in saw
        assert not [name for name in SETTINGS if name in saw]
        assert not [name for name in hostile if f"{name}=" in saw]
    assert not list((ground.directory / "tmp").iterdir()), "the run's directories are gone with it"
    assert sorted(each.name for each in place.iterdir()) == sorted(SETTINGS)
