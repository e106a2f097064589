"""The headline: all within the SLA, or what is not."""

import pytest

from patchgate.server.page.entry import Standing
from patchgate.server.page.headline import make_headline
from tests.server.page.images import (
    CLEAN,
    DONE,
    LATE,
    LATER,
    NEW,
    SCRATCH,
    SOON,
    STALE,
    TEAM,
    approves,
    every_standing,
    index_of,
    sources,
)
from tests.world import NOW, hours_ago, image_list, patched, record, records, snapshot

WORLD = {
    LATE: record(**sources("late"), first_vulnerable=hours_ago(25)),
    LATER: record(**sources("later"), first_vulnerable=hours_ago(80)),
    SOON: record(**sources("soon"), first_vulnerable=hours_ago(1)),
    STALE: patched(f"{STALE}-patched-20260501", **approves("stale"), verified=hours_ago(30)),
    DONE: patched(f"{DONE}-patched-20260509", **approves("done")),
    CLEAN: patched(f"{CLEAN}-patched-20260509", **approves("clean")),
    SCRATCH: record(**sources("scratch"), state="unpatchable"),
}


@pytest.mark.parametrize(
    ("images", "text", "detail", "standing"),
    [
        ([], "No image is listed.", "", Standing.APPROVED),
        ([DONE], "The one image is within the SLA.", "1 is approved.", Standing.APPROVED),
        (
            [DONE, SOON],
            "All 2 images are within the SLA.",
            "1 is approved. 1 waits for a patch and is refused in 23 h.",
            Standing.WAITING,
        ),
        (
            [DONE, NEW, SCRATCH],
            "All 3 images are within the SLA.",
            "1 is approved. 1 is not scanned yet. 1 cannot be patched.",
            Standing.APPROVED,
        ),
        ([DONE, LATE], "1 of 2 images is past the patch SLA.", "1 is approved.", Standing.BREACHED),
        ([LATE], "1 of 1 image is past the patch SLA.", "", Standing.BREACHED),
        ([DONE, STALE], "1 approval is stale.", "1 is approved.", Standing.STALE),
        (
            [LATE, LATER, STALE, DONE, CLEAN],
            "2 of 5 images are past the patch SLA, and 1 approval is stale.",
            "2 are approved.",
            Standing.BREACHED,
        ),
    ],
)
def test_it_says_what_is_not_well(images: list[str], text: str, detail: str, standing: Standing) -> None:
    by_key = {image: WORLD[image] for image in images if image in WORLD}
    headline = make_headline(index_of(snapshot(image_list(*images), records(by_key))), NOW)
    assert (headline.text, headline.detail, headline.standing) == (text, detail, standing)


def test_it_says_who_is_next() -> None:
    detail = make_headline(index_of(every_standing()), NOW).detail
    assert "2 wait for a patch, the next is refused in 4 h." in detail


def test_thousands_are_told_apart() -> None:
    lines = [f"{TEAM}/app-{number}:1" for number in range(1200)]
    headline = make_headline(index_of(snapshot(image_list(*lines), records())), NOW)
    assert headline.text == "All 1,200 images are within the SLA."
