"""Who uses no mouse, sees little, has a small screen, or no JavaScript, gets at everything."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener, Watch
from tests.conftest import Gate

API = "registry.example.com/shop/api:1.4.2"
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
PATHS = [
    "",
    f"image?name={API}",
    f"decision?image={API}&namespace=shop",
    "?standing=stale&search=no",
    "image?name=none",
]


def find_violations(page: Page) -> list[str]:
    """What axe-core finds, best practices among it, a line each."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']]}" for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [NARROW, WIDE], ids=["narrow", "wide"])
def test_axe_finds_nothing(demo: Gate, open_page: Opener, scheme: str, viewport: dict[str, int]) -> None:
    page = open_page(
        demo, color_scheme=scheme, viewport=viewport, bypass_csp=True
    )  # axe comes into the page as a script
    for path in PATHS[:-1]:
        page.goto(f"./{path}")
        assert find_violations(page) == []


def test_axe_would_find_something(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, bypass_csp=True)
    page.evaluate("document.querySelector('label[for=search]').remove()")
    assert [line.partition(":")[0] for line in find_violations(page)] == ["label"]


def test_axe_finds_nothing_in_ten_thousand_images_nor_in_strangers_text(
    many: Gate, hostile: Gate, open_page: Opener
) -> None:
    for gate in (many, hostile):
        assert find_violations(open_page(gate, bypass_csp=True)) == []


@pytest.mark.parametrize("path", PATHS[:-1])
def test_a_screen_of_360_pixels_shows_it_without_scrolling_sideways(demo: Gate, open_page: Opener, path: str) -> None:
    page = open_page(demo, path, viewport=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    expect(page.get_by_role("button", name="Ask the gate")).to_be_visible()


def test_a_narrow_table_is_still_one_for_a_screen_reader(demo: Gate, open_page: Opener) -> None:
    table = open_page(demo, viewport=NARROW).get_by_role("table").first
    assert table.get_by_role("rowheader").count() == 10
    assert table.get_by_role("columnheader").count() == 7


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_it_follows_the_theme_of_the_system(demo: Gate, open_page: Opener, scheme: str, is_dark: bool) -> None:
    page = open_page(demo, color_scheme=scheme)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour)[:3])) < 3 * 128) is is_dark


def test_the_first_key_offers_to_skip_to_the_content(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_every_function_is_reached_by_the_keyboard_alone(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    reached = []
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if page.evaluate("document.activeElement === document.body"):
            break
        assert outline != "none", reached[-1]
    wanted = ["ask-image", "ask-namespace", "Ask the gate", "search", "Search", "Image", "Time left", "Copy", "metrics"]
    assert [name for name in wanted if name not in reached] == []
    assert any("past the SLA" in name for name in reached)


def test_the_box_is_asked_by_keyboard_alone(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Image", exact=True)).to_be_focused()
    page.keyboard.type(f"{API}\n")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{API} is refused.")


def test_without_javascript_all_but_the_buttons_that_copy_is_there(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("2 of 10"))
    assert page.get_by_role("button", name=re.compile("^Copy")).count() == 0
    page.get_by_role("columnheader", name="Image").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Image")).to_have_attribute("aria-sort", "ascending")
    page.get_by_label("Search names and messages").fill("api")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="shop/api:1.4.2").click()
    expect(page.locator(".reference-line code")).to_have_text(re.compile("@sha256:[0-9a-f]{64}$"))
    page.get_by_role("button", name="Ask the gate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{API} is refused.")


def test_a_gate_that_is_not_ready_says_so(cold_gate: Gate, open_page: Opener, watch: Watch) -> None:
    page = open_page(cold_gate)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not ready: the main image list has not been read yet.")
    assert [text for text in watch.wrong if "503" not in text] == []  # Chromium tells the console of the status itself
    watch.wrong.clear()
