"""The page as people use it: every function by clicking and typing."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Opener
from tests.conftest import SHOP, Gate, GateRunner, write_configmaps
from tests.world import image_list

API = "registry.example.com/shop/api:1.4.2"


def rows(page: Page) -> "list[str]":
    """The images of the table, by path and tag."""
    return [text.split()[0] for text in page.locator("table.images tbody th a").all_inner_texts()]


def test_the_headline_says_what_is_not_within_the_sla(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "2 of 10 images are past the patch SLA, and 1 approval is stale."
    )
    expect(page).to_have_title(re.compile("2 of 10 images are past the patch SLA.*patchgate"))


def test_a_click_on_a_state_shows_those_images_alone(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.get_by_role("navigation", name="Images by state").get_by_role("link", name="past the SLA").click()
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u20132 of 2")
    assert rows(page) == ["shop/legacy:0.9", "shop/frontend:3.0.1"]
    expect(page.locator(".filters [aria-current]")).to_have_text("2 past the SLA")
    page.get_by_role("link", name="10 all").click()
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u201310 of 10")


def test_a_search_is_typed_and_cleared(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.get_by_label("Search names and messages").fill("shop 403")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u20131 of 1")
    assert rows(page) == ["shop/frontend:3.0.1"]
    page.get_by_label("Search names and messages").fill("nothing like it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No image matches.")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u201310 of 10")


def test_a_search_stays_within_the_state_that_is_shown(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, "?standing=approved&sort=image")
    page.get_by_label("Search names and messages").fill("shared")
    page.keyboard.press("Enter")
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u20133 of 3")
    assert rows(page) == ["shared/nginx-base:1.25.3", "shared/postgres:16.2", "shared/redis:7"]


def test_a_columns_head_sorts_and_a_second_click_turns_it_round(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    for label, direction, other in (
        ("Image", "ascending", "descending"),
        ("Findings", "descending", "ascending"),
        ("First seen", "ascending", "descending"),
        ("Verified", "ascending", "descending"),
        ("Time left", "ascending", "descending"),
    ):
        head = page.get_by_role("columnheader", name=label)
        head.get_by_role("link").click()
        expect(head).to_have_attribute("aria-sort", direction)
        once = rows(page)
        head.get_by_role("link").click()
        expect(head).to_have_attribute("aria-sort", other)
        assert rows(page) == once[::-1]


def test_a_button_copies_the_whole_reference(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name=f"Copy {API}-patched-")
    reference = button.get_attribute("data-copy")
    button.click()
    expect(button).to_have_text("Copied")
    expect(page.locator("#copied")).to_have_text("Copied")
    assert re.fullmatch(rf"{re.escape(API)}-patched-\d{{8}}@sha256:[0-9a-f]{{64}}", reference or "")
    assert page.evaluate("navigator.clipboard.readText()") == reference
    expect(button).to_have_text("Copy")


def test_it_copies_from_another_machine_over_plain_http_as_well(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, by_name=True)
    assert page.evaluate("[window.isSecureContext, navigator.clipboard === undefined]") == [False, True]
    button = page.get_by_role("button", name=f"Copy {API}-patched-")
    button.click()
    expect(button).to_have_text("Copied")
    field = page.get_by_label("Image", exact=True)
    field.focus()
    page.keyboard.press("Control+V")
    expect(field).to_have_value(button.get_attribute("data-copy") or "")


def test_an_image_has_a_page_with_its_record_its_history_and_lines(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="shop/api:1.4.2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(API)
    expect(page.get_by_text("copa-image-list, line 2")).to_be_visible()
    expect(page.get_by_role("row", name="critical 2 0")).to_be_visible()
    expect(page.get_by_role("cell", name="in force, fresh")).to_be_visible()
    for name in ("kubectl", "Flux", "Kyverno"):
        page.get_by_role("button", name=f"Copy the lines for {name}").last.click()
        copied = page.evaluate("navigator.clipboard.readText()")
        expect(page.locator("pre").filter(has_text=copied.splitlines()[0]).last).to_be_visible()
    page.get_by_role("link", name="Tracked images").click()
    expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u201310 of 10")


def test_a_tag_that_was_vulnerable_before_shows_its_earlier_source(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.get_by_role("link", name="shared/redis:7").click()
    expect(page.get_by_role("row", name=re.compile("before sha256:5ef0bb3b"))).to_be_visible()


def test_the_box_asks_the_gate_and_shows_the_row_that_answered(demo: Gate, open_page: Opener) -> None:
    page = open_page(demo)
    page.get_by_label("Image", exact=True).fill(API)
    page.get_by_label("Namespace").fill("shop")
    page.get_by_role("button", name="Ask the gate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{API} is refused.")
    expect(page.get_by_role("heading", name="Row 9 of the table answered")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("9 .*answers"))).to_be_visible()
    use = page.locator(".reference-line code").inner_text()
    page.get_by_label("Image", exact=True).fill(use)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{use} may run.")


def test_the_box_looks_at_the_namespace(demo: Gate, open_page: Opener) -> None:
    legacy = "registry.example.com/shop/legacy:0.9"
    page = open_page(demo, f"decision?image={legacy}&namespace=other")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{legacy} is refused.")
    page.get_by_label("Namespace").fill("shop")
    page.get_by_role("button", name="Ask the gate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{legacy} may run, with a warning.")
    expect(page.get_by_role("heading", name="Row 2 of the table answered")).to_be_visible()


def test_what_does_not_count_is_shown_with_its_line_and_goes_when_it_is_mended(
    tmp_path: Path, self_signed: GateRunner, open_page: Opener
) -> None:
    with self_signed(write_configmaps(tmp_path / "world", *SHOP)) as gate:
        page = open_page(gate)
        page.get_by_role("link", name="1 of the data's entries does not count").click()
        expect(page.get_by_role("row", name=re.compile("copa-image-list line 6"))).to_be_in_viewport()
        write_configmaps(tmp_path / "world", image_list("registry.example.com/myapp/api:1.4.2"))
        gate.wait_until(lambda: "All of it counts." in gate.ask_ops("/").text, seconds=60)
        page.reload()
        expect(page.get_by_text("All of it counts.")).to_be_visible()
        expect(page.get_by_role("table").get_by_role("caption")).to_have_text("Images 1\u20131 of 1")


def test_ten_thousand_images_are_turned_over_filtered_and_searched(many: Gate, open_page: Opener) -> None:
    page = open_page(many)
    caption = page.get_by_role("table").get_by_role("caption")
    expect(page.get_by_role("heading", level=1)).to_have_text("1,000 of 10,000 images are past the patch SLA.")
    for link, number in (("Next", 2), ("Last", 200), ("Previous", 199), ("First", 1)):
        page.get_by_role("navigation", name="Pages of the table").get_by_role("link", name=link).click()
        expect(page.get_by_text(f"Page {number} of 200")).to_be_visible()
        expect(caption).to_have_text(f"Images {(number - 1) * 50 + 1:,}\u2013{number * 50:,} of 10,000")
        assert len(rows(page)) == 50
    page.get_by_role("link", name="1,000 approved").click()
    expect(caption).to_have_text("Images 1\u201350 of 1,000")
    page.get_by_label("Search names and messages").fill("app-00005")
    page.keyboard.press("Enter")
    expect(caption).to_have_text("Images 1\u20131 of 1")
