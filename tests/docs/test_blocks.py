"""Every block of a document that is marked `sh` does what it says, in the order of its page, in a fresh checkout.

Pages that need a cluster are run by tests/plane/test_documents.py.
"""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import CLOUD, OWN_TESTS, ROOT, RUN, list_pages, list_runnable, read_blocks
from tests.docs.shell import run_page

PAGES = list_runnable(needs_cluster=False)


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path) -> None:
    run_page(page, tmp_path, {}, [])


def test_every_page_with_blocks_is_run_here_or_on_a_cluster_or_by_a_test_of_its_own() -> None:
    on_a_cluster = list_runnable(needs_cluster=True)
    with_blocks = {page for page in list_pages() if any(block.kind == RUN for block in read_blocks(page))}
    assert with_blocks - {*PAGES, *on_a_cluster} <= OWN_TESTS.keys()
    assert "README.md" in PAGES
    assert "docs/install.md" in on_a_cluster


@pytest.mark.parametrize("page", sorted(set(list_pages()) & OWN_TESTS.keys()) or ["README.md"])
def test_a_page_with_a_test_of_its_own_is_read_there(page: str) -> None:
    test = OWN_TESTS.get(page, "tests/docs/test_readme.py")
    assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


def test_no_block_of_a_shell_is_marked_in_another_way() -> None:
    kinds = {(block.page, block.kind) for page in list_pages() for block in read_blocks(page)}
    shells = [(page, kind) for page, kind in kinds if re.match(r"sh|bash|zsh|shell|$", kind)]
    assert [(page, kind) for page, kind in shells if kind not in (RUN, CLOUD)] == []


def test_a_block_that_cannot_run_here_says_so_and_what_it_needs() -> None:
    blocks = [block for page in list_pages() for block in read_blocks(page) if block.kind == CLOUD]
    assert [f"{block.place}" for block in blocks if not block.text.startswith("# Not run by our tests")] == []
    assert len(blocks) >= 4


def test_a_block_that_fails_fails_its_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("```sh\ntrue\n```\n\n<!-- exits: 1 -->\n```sh\nfalse\n```\n\n```sh\nfalse\n```\n", encoding="utf-8")
    monkeypatch.setattr("tests.docs.blocks.ROOT", tmp_path)
    (tmp_path / "run").mkdir()
    with pytest.raises(AssertionError, match=r"at page.md:10\n$"):
        run_page("page.md", tmp_path / "run", {}, [])
