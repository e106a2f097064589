"""Which documents quote figures, and writes them anew."""

from collections.abc import Iterator
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


def write_pages() -> Iterator[Path]:
    """Write every document whose figures are others than the results'; give those."""
    for page in list_pages():
        text = rewrite_page(page)
        if text != page.read_text(encoding="utf-8"):
            page.write_text(text, encoding="utf-8")
            yield page
