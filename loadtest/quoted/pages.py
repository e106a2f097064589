"""Which documents quote figures, and writes them anew."""

from pathlib import Path
from typing import Final

from loadtest.quoted.marks import rewrite
from loadtest.quoted.names import NAMES
from loadtest.quoted.table import QuoteError, read_cell

ROOT: Final = Path(__file__).parents[2]


def list_pages() -> list[Path]:
    """List the documents: README.md and docs/, without its records of decisions, which keep the figures of then."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def rewrite_page(page: Path) -> str:
    """Give a document as the results would have it.

    Raises:
        QuoteError: with the document's name.
    """
    try:
        return rewrite(page.read_text(encoding="utf-8"), NAMES, read_cell)
    except QuoteError as error:
        raise QuoteError(f"{page.relative_to(ROOT)}: {error}") from error


def write_pages() -> list[Path]:
    """Write every document whose figures are others than the results'; give those.

    Raises:
        QuoteError: something is missing; then none is written.
    """
    texts = {page: rewrite_page(page) for page in list_pages()}
    changed = [page for page, text in texts.items() if text != page.read_text(encoding="utf-8")]
    for page in changed:
        page.write_text(texts[page], encoding="utf-8")
    return changed
