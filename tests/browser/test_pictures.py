"""The pictures of the documents are of this page: whole, clean, small; `make browser PICTURES=1` takes them anew."""

from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.conftest import Gate

PICTURES = Path(__file__).parents[2] / "docs" / "images"
MOST_BYTES = 300 * 1024


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_is_taken(
    demo: Gate, open_page: Opener, tmp_path: Path, pytestconfig: pytest.Config, scheme: str
) -> None:
    page = open_page(demo, color_scheme=scheme, viewport={"width": 1280, "height": 1000})
    folder = PICTURES if pytestconfig.getoption("--pictures") else tmp_path
    picture = page.screenshot(path=folder / f"status-page-{scheme}.png", full_page=True)
    assert 50 * 1024 < len(picture) < MOST_BYTES


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_documents_have_it(scheme: str) -> None:
    assert (PICTURES / f"status-page-{scheme}.png").stat().st_size < MOST_BYTES
