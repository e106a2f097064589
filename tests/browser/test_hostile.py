"""What strangers write is text: it runs nowhere, covers nothing, and turns nothing round."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opener
from tests.browser.worlds import EVIL, HEBREW, LONG, QUIET, SCRIPT
from tests.conftest import Gate

NARROW = {"width": 360, "height": 740}


def test_a_script_in_the_data_is_shown_and_does_not_run(hostile: Gate, open_page: Opener) -> None:
    page = open_page(hostile)
    expect(page.locator(".message").filter(has_text="<script>")).to_be_visible()
    page.get_by_role("link", name="team/evil:1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(EVIL)
    assert page.get_by_text("<script>").count() >= 3
    assert "taken" not in page.title()
    assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize("text", [SCRIPT, LONG, HEBREW, "\u202ednuor denrut", "a\tb", "{{ 7 * 7 }}", "%00", "\"'>x"])
def test_whatever_is_typed_is_text(hostile: Gate, open_page: Opener, text: str) -> None:
    page = open_page(hostile)
    page.get_by_label("Image", exact=True).fill(text)
    page.get_by_label("Namespace").fill(text)
    page.get_by_role("button", name="Ask the gate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"is refused\.$"))
    page.goto("./")
    page.get_by_label("Search names and messages").fill(text)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Search names and messages")).to_be_visible()
    assert "taken" not in page.title()


@pytest.mark.parametrize("path", ["", f"image?name={EVIL}", f"image?name={QUIET}", f"decision?image={LONG}"])
@pytest.mark.parametrize("viewport", [NARROW, {"width": 1280, "height": 800}], ids=["narrow", "wide"])
def test_nothing_makes_the_page_wider_than_the_screen(
    hostile: Gate, open_page: Opener, path: str, viewport: dict[str, int]
) -> None:
    page = open_page(hostile, path, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_right_to_left_text_leaves_what_is_beside_it_in_its_order(hostile: Gate, open_page: Opener) -> None:
    page = open_page(hostile, f"decision?image={QUIET}")
    for element in page.locator("[dir=auto]").all():
        assert element.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.content())
