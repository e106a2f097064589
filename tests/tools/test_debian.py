"""What the groups of tests need of Debian: what is missing, and who may install it."""

import subprocess
import sys
from pathlib import Path

from tests.groups import leave_out
from tests.plain_user import as_a_plain_user
from tools.debian import PACKAGES, can_install, find_missing

ROOT = Path(__file__).parents[2]


def run_debian(*arguments: str, path: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tools.debian", *arguments]
    return subprocess.run(command, cwd=ROOT, env={"PATH": path}, capture_output=True, text=True, check=False)


def test_what_is_installed_is_not_missing() -> None:
    if not Path("/usr/bin/dpkg-query").exists():
        leave_out("not Debian")
    assert find_missing(["dpkg", "no-such-package", "libc6"]) == ["no-such-package"]


def test_a_plain_user_cannot_install() -> None:
    with as_a_plain_user():
        assert not can_install()


def test_where_it_cannot_be_installed_it_says_what_is_missing(tmp_path: Path) -> None:
    said = run_debian("patch", path=str(tmp_path))
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == (
        f"Missing: {' '.join(PACKAGES['patch'])}. Where you are root on Debian, this installs them.\n"
    )
    assert run_debian("patch", "--is-ready", path=str(tmp_path)).returncode == 1
