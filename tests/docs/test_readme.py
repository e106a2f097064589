"""README.md: its commands are run, and what it shows is what they print, but for dates, times and a free port."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def block_after(command: str) -> str:
    """The block that shows what the command prints."""
    index = next(number for number, (kind, text) in enumerate(BLOCKS) if kind == "sh" and command in text)
    return str(BLOCKS[index + 1][1])


def without_dates(text: str) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\dZ", "TIME", text)
    return re.sub(r"-patched-\d{8}", "-patched-DATE", text).strip()


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module", autouse=True)
def demo() -> "subprocess.CompletedProcess[str]":
    """`make run ONCE=1`, which also lays out the world that the other commands read."""
    return run(sys.executable, "examples/demo/run.py", "--once")


def test_make_run_refuses_one_and_admits_one_as_shown(demo: "subprocess.CompletedProcess[str]") -> None:
    assert demo.returncode == 0, demo.stderr
    assert without_dates(re.sub(r"Port \d+ is taken.*\n", "", demo.stdout)) == without_dates(block_after("make run"))


def test_make_run_is_that_script() -> None:
    made = run("make", "--dry-run", "run", "ONCE=1")
    assert "examples/demo/run.py --port 8443 --once" in made.stdout


@pytest.mark.parametrize("command", ["check --source build/demo/configmaps -f examples/demo/manifests"])
def test_check_prints_the_table_that_is_shown(command: str) -> None:
    done = run(sys.executable, "-m", "patchgate", *command.split())
    assert done.returncode == 1
    assert without_dates(done.stdout) == without_dates(block_after(command))


def test_check_prints_the_json_that_is_shown() -> None:
    command = "check --source build/demo/configmaps -o json registry.example.com/shop/api:1.3.0"
    done = run(sys.executable, "-m", "patchgate", *command.split())
    assert (done.returncode, json.loads(done.stdout)) == (1, json.loads(block_after(command)))


def test_no_command_of_the_readme_is_missed_here_or_by_the_tests_of_serve() -> None:
    commands = {text.strip() for kind, text in BLOCKS if kind == "sh"}
    assert commands == {
        "make run",
        "make test",
        ".venv/bin/patchgate check --source build/demo/configmaps -f examples/demo/manifests",
        ".venv/bin/patchgate check --source build/demo/configmaps -o json registry.example.com/shop/api:1.3.0",
        ".venv/bin/patchgate serve --source build/demo/configmaps --self-signed build/demo/tls --listen 127.0.0.1:8443",
    }


def test_every_file_that_the_documents_link_to_is_there() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        links = re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        assert [link for link in links if not (document.parent / link).exists()] == []
