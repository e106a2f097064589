"""The tally: every listed image is counted once by its state, and by the time left while its clock runs."""

from datetime import timedelta

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.overview import list_tracked_images
from patchgate.policy.tally import Tally
from tests.world import NOW, clean, hours_ago, image_list, patched, record, records, snapshot

API = "registry.example.com/myapp/api"
NONE = {"none": 0, "under_1h": 0, "under_4h": 0, "under_24h": 0, "over_24h": 0}
NO_STATE = {"patched": 0, "clean": 0, "pending": 0, "failed": 0, "unpatchable": 0, "unscanned": 0}


def tally(*configmaps: ConfigMap) -> Tally:
    return Tally.count(snapshot(*configmaps), NOW)


def world(by_tag: dict[str, dict[str, object]], **policy: str) -> tuple[ConfigMap, ConfigMap]:
    return image_list(*(f"{API}:{tag}" for tag in by_tag), **policy), records(
        {f"{API}:{tag}": each for tag, each in by_tag.items()}
    )


def test_no_image_counts_as_none_of_every_state() -> None:
    counted = tally(image_list())
    assert counted.states == NO_STATE
    assert counted.count_by_time_left(NOW) == NONE
    assert (counted.count_stale(NOW), counted.find_next_deadline(NOW)) == (0, None)


def test_images_are_counted_by_the_state_of_their_record() -> None:
    lists, book = world(
        {
            "1": patched(f"{API}:1-patched-20260509"),
            "2": clean(f"{API}:2"),
            "3": record(),
            "4": record(state="failed"),
            "5": record(state="unpatchable"),
        }
    )
    counted = tally(image_list(*lists.data["images.txt"].split(), "nginx:1.25", "nginx:1.26"), book)
    assert counted.states == dict.fromkeys(NO_STATE, 1) | {"unscanned": 2}


@pytest.mark.parametrize(
    ("hours", "left"),
    [
        (24, "none"),
        (400, "none"),
        (23.5, "under_1h"),
        (23, "under_1h"),
        (22.5, "under_4h"),
        (20, "under_4h"),
        (19.5, "under_24h"),
        (0, "under_24h"),
    ],
)
def test_an_image_whose_clock_runs_is_counted_by_the_time_left(hours: float, left: str) -> None:
    counted = tally(*world({"1": record(first_vulnerable=hours_ago(hours))}))
    assert counted.count_by_time_left(NOW) == NONE | {left: 1}


def test_a_long_sla_leaves_more_than_a_day() -> None:
    counted = tally(*world({"1": record(first_vulnerable=hours_ago(1))}, patch_sla_hours="72"))
    assert counted.count_by_time_left(NOW) == NONE | {"over_24h": 1}


def test_time_that_passes_needs_no_new_count_and_agrees_with_the_overview() -> None:
    configmaps = world(
        {str(hour): record(first_vulnerable=hours_ago(hour)) for hour in range(0, 30, 3)}
        | {f"1.{hour}": patched(f"{API}:1.{hour}-patched-20260509", hours_ago(hour)) for hour in range(0, 40, 5)}
    )
    counted = tally(*configmaps)
    for hours in range(0, 60, 2):
        now = NOW + timedelta(hours=hours)
        images = list(list_tracked_images(snapshot(*configmaps, now=now), now))
        assert counted.count_by_time_left(now)["none"] == sum(image.is_breached for image in images)
        assert counted.count_stale(now) == sum(image.is_stale for image in images)


def test_the_next_breach_is_the_first_that_has_not_come() -> None:
    counted = tally(*world({str(hour): record(first_vulnerable=hours_ago(hour)) for hour in (30, 20, 10)}))
    assert counted.find_next_deadline(NOW) == NOW + timedelta(hours=4)
    assert counted.find_next_deadline(NOW + timedelta(hours=4)) == NOW + timedelta(hours=14)
    assert counted.find_next_deadline(NOW + timedelta(hours=14)) is None


def test_an_approval_is_fresh_to_the_very_end_and_stale_after_it() -> None:
    counted = tally(*world({"1": patched(f"{API}:1-patched-20260509", hours_ago(1))}))
    end = NOW + timedelta(hours=23)
    assert [counted.count_stale(now) for now in (NOW, end, end + timedelta(seconds=1))] == [0, 0, 1]


def test_what_is_stale_when_it_is_counted_counts_at_once() -> None:
    assert tally(*world({"1": patched(f"{API}:1-patched-20260509", hours_ago(25))})).count_stale(NOW) == 1
