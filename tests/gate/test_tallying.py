"""The count of images for the metrics: anew for a new snapshot, and a defect in it ends nothing."""

import asyncio
import io
import weakref
from datetime import datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from patchgate.gate.gauges import read_image_gauges
from patchgate.gate.log import make_log
from patchgate.gate.standing import Standing
from patchgate.gate.tallying import Tallier
from patchgate.metrics import PLACES, GateMetrics, GaugeCollector
from patchgate.policy.tally import Tally
from tests.world import NOW, hours_ago, image_list, patched, record, records, snapshot

API = "registry.example.com/myapp/api"


def make_tallier(standing: Standing) -> tuple[Tallier, GateMetrics]:
    metrics = GateMetrics(CollectorRegistry())
    return Tallier(standing, lambda: NOW, metrics, make_log(io.StringIO())), metrics


def scrape(standing: Standing, now: datetime = NOW) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(GaugeCollector(lambda: read_image_gauges(standing, now)))
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {" ".join((sample.name, *sample.labels.values())): sample.value for sample in samples if sample.value}


def test_before_the_first_count_there_is_nothing_to_scrape() -> None:
    standing = Standing()
    tallier, _ = make_tallier(standing)
    asyncio.run(tallier.look())
    assert (standing.tally, scrape(standing)) == (None, {})


def test_the_gauges_are_those_of_the_snapshot_and_move_on_with_time() -> None:
    book = {
        f"{API}:1": patched(f"{API}:1-patched-20260509", hours_ago(2)),
        f"{API}:2": record(first_vulnerable=hours_ago(22)),
    }
    standing = Standing(snapshot(image_list(f"{API}:1", f"{API}:2", f"{API}:3"), records(book, last_run=hours_ago(3))))
    asyncio.run(make_tallier(standing)[0].look())
    expected = {
        "patchgate_tracked_images patched": 1.0,
        "patchgate_tracked_images pending": 1.0,
        "patchgate_tracked_images unscanned": 1.0,
        "patchgate_patcher_last_run_timestamp_seconds": (NOW - timedelta(hours=3)).timestamp(),
    }
    assert scrape(standing) == expected | {
        "patchgate_sla_images under_4h": 1.0,
        "patchgate_sla_next_breach_timestamp_seconds": (NOW + timedelta(hours=2)).timestamp(),
    }
    later = scrape(standing, NOW + timedelta(hours=23))
    assert later == expected | {"patchgate_sla_images none": 1.0, "patchgate_stale_images": 1.0}


def test_a_patcher_that_never_ran_is_a_zero() -> None:
    standing = Standing(snapshot(image_list(), records(last_run=None)))
    asyncio.run(make_tallier(standing)[0].look())
    registry = CollectorRegistry()
    registry.register(GaugeCollector(lambda: read_image_gauges(standing, NOW)))
    assert registry.get_sample_value("patchgate_patcher_last_run_timestamp_seconds") == 0


def test_a_snapshot_is_counted_once_and_a_new_one_anew() -> None:
    standing = Standing(snapshot(image_list(f"{API}:1")))
    tallier, _ = make_tallier(standing)
    asyncio.run(tallier.look())
    first = standing.tally
    asyncio.run(tallier.look())
    assert standing.tally is first
    standing.snapshot = snapshot(image_list(f"{API}:1", f"{API}:2"))
    asyncio.run(tallier.look())
    assert standing.tally
    assert standing.tally.states["unscanned"] == 2


def test_a_defect_in_counting_is_counted_and_leaves_the_count_before(monkeypatch: pytest.MonkeyPatch) -> None:
    standing = Standing(snapshot(image_list(f"{API}:1")))
    tallier, metrics = make_tallier(standing)
    asyncio.run(tallier.look())
    before = standing.tally

    def fail(*_: object) -> Tally:
        raise ZeroDivisionError

    monkeypatch.setattr(Tally, "count", fail)
    standing.snapshot = snapshot(image_list())
    asyncio.run(tallier.look())
    assert standing.tally is before
    assert metrics.registry.get_sample_value("patchgate_errors_total", {"where": "tally"}) == 1


def test_every_place_of_errors_is_there_before_its_first() -> None:
    registry = GateMetrics(CollectorRegistry()).registry
    assert {place: registry.get_sample_value("patchgate_errors_total", {"where": place}) for place in PLACES} == (
        dict.fromkeys(PLACES, 0.0)
    )


def test_a_snapshot_that_was_counted_is_not_kept() -> None:
    standing = Standing(snapshot(image_list(f"{API}:1")))
    tallier, _ = make_tallier(standing)
    asyncio.run(tallier.look())
    counted = standing.snapshot
    assert counted is not None
    kept = weakref.ref(counted)
    standing.snapshot = counted = None
    assert kept() is None
    standing.snapshot = snapshot(image_list(f"{API}:1", f"{API}:2"))
    asyncio.run(tallier.look())
    assert scrape(standing) == {"patchgate_tracked_images unscanned": 2.0}
