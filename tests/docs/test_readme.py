"""README.md begins with what a newcomer runs, and no document leads nowhere."""

import re
import subprocess

from tests.docs.blocks import ROOT, RUN, RUN_BY_CI, list_pages, read_blocks


def test_it_begins_with_two_commands() -> None:
    commands = [block.text.split()[:2] for block in read_blocks("README.md") if block.kind == RUN]
    assert commands == [["make", "run"], ["make", "test"], [".venv/bin/patchgate", "discover"]]


def test_ci_runs_the_second() -> None:
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == f"exec {RUN_BY_CI}".strip()


def test_make_run_is_the_demo() -> None:
    command = ["make", "--dry-run", "run", "ONCE=1"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert "examples/demo/run.py --port 8443 --once" in made.stdout


def test_every_file_that_the_documents_link_to_is_there() -> None:
    for page in list_pages():
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
        assert [link for link in links if not ((ROOT / page).parent / link).exists()] == [], page


def test_every_heading_that_the_documents_link_to_is_there() -> None:
    for page in list_pages():
        for link, heading in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", (ROOT / page).read_text(encoding="utf-8")):
            target = ((ROOT / page).parent / link) if link else ROOT / page
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {_anchor(text) for text in headings}, f"{page}: {link}#{heading}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = set[str](), {"README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
        found = {str((ROOT / page).parent.joinpath(link).resolve().relative_to(ROOT)) for link in links}
        new |= found - reached
    assert {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")} - reached == set()


def _anchor(heading: str) -> str:
    """Make a heading's anchor as GitHub does."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
