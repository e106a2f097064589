"""Every block of a document that is marked `sh` does what it says, in the order of its page, in a fresh checkout.

Pages that need a cluster are run by tests/plane/test_documents.py.
"""

from pathlib import Path

import pytest

from tests.docs.blocks import CLOUD, RUN, list_pages, list_runnable, read_blocks
from tests.docs.shell import run_page

PAGES = list_runnable(needs_cluster=False)


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path) -> None:
    run_page(page, tmp_path, {}, [])


def test_every_page_with_blocks_is_run_here_or_on_a_cluster() -> None:
    on_a_cluster = list_runnable(needs_cluster=True)
    with_blocks = [page for page in list_pages() if any(block.kind == RUN for block in read_blocks(page))]
    assert sorted([*PAGES, *on_a_cluster]) == with_blocks
    assert "README.md" in PAGES
    assert "docs/install.md" in on_a_cluster


def test_a_block_is_of_a_kind_that_somebody_knows() -> None:
    kinds = {(block.page, block.kind) for page in list_pages() for block in read_blocks(page)}
    known = {RUN, CLOUD, "text", "yaml", "json"}
    assert [(page, kind) for page, kind in kinds if kind not in known] == []


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
