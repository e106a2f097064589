"""Following a source in this process, with a clock that the test moves: what comes in force, what is said of it."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import SourceError
from patchgate.gate.follow import Follower
from patchgate.gate.log import make_log
from patchgate.gate.standing import Standing
from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem
from patchgate.policy.verdict import Reason
from patchgate.sources.source import Reading
from tests.world import NAMES, NOW, clean, image_list, records, team_list, verdict

BASE = "registry.example.com/shared/base:1"
TEAM = "registry.example.com/team/app:1"


@dataclass
class Shelf:
    """A source that holds what a test puts there."""

    configmaps: dict[str, ConfigMap] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    fault: Exception | None = None
    words: int = 0
    _given: dict[str, ConfigMap] = field(default_factory=dict)

    def put(self, *configmaps: ConfigMap) -> None:
        self.configmaps |= {each.name: each for each in configmaps}

    def read(self, take: Callable[[ConfigMap], None]) -> Reading:
        if isinstance(self.fault, SourceError):
            raise self.fault
        before, self._given = self._given, dict(self.configmaps)
        for name, each in self.configmaps.items():
            if before.get(name) is not each:
                take(each)
        if self.fault:
            raise self.fault
        return Reading(frozenset(self.configmaps), self.problems)

    def forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._given.pop(name, None)

    async def changes(self) -> AsyncIterator[None]:
        for _ in range(self.words):
            self.put(image_list(BASE, TEAM))
            yield


@dataclass
class Followed:
    """A follower of a shelf, and the clock it goes by."""

    shelf: Shelf = field(default_factory=Shelf)
    now: datetime = NOW
    log: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.standing, self.metrics = Standing(), GateMetrics(CollectorRegistry())
        log = make_log(self.log)
        self.follower = Follower(self.shelf, NAMES, self.standing, lambda: self.now, self.metrics, log)

    def look(self, after_seconds: float = 0) -> None:
        self.now += timedelta(seconds=after_seconds)
        asyncio.run(self.follower.look())

    def reason(self, image: str) -> Reason:
        assert self.standing.snapshot
        return verdict(image, self.standing.snapshot, now=self.now).reason

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    @property
    def said(self) -> list[tuple[str, str]]:
        lines: list[dict[str, Any]] = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [(line["event"], f"{line.get('configmap', '')}: {line.get('place', '')}") for line in lines]


def follow(*configmaps: ConfigMap) -> Followed:
    followed = Followed()
    followed.shelf.put(*configmaps)
    followed.look()
    return followed


def test_what_the_source_holds_comes_in_force() -> None:
    followed = follow(image_list(BASE))
    assert followed.reason(BASE) is Reason.UNSCANNED
    assert (followed.count("patchgate_snapshots_total"), followed.standing.read_at) == (1.0, NOW)


def test_a_source_that_has_not_changed_leaves_the_snapshot_as_it_is() -> None:
    followed = follow(image_list(BASE))
    before = followed.standing.snapshot
    followed.look(after_seconds=3600)
    assert followed.standing.snapshot is before
    assert followed.count("patchgate_snapshots_total") == 1.0
    assert followed.standing.read_at == NOW + timedelta(hours=1)


def test_a_deleted_labelled_list_goes_and_a_deleted_main_list_stays() -> None:
    followed = follow(image_list(BASE), team_list(TEAM))
    followed.shelf.configmaps.clear()
    followed.look()
    assert (followed.reason(BASE), followed.reason(TEAM)) == (Reason.UNSCANNED, Reason.NOT_TRACKED)
    assert followed.said == [("data does not count", f"{NAMES.image_list}: ")]
    assert followed.standing.bad_entries["image_list"] == 1


def test_a_list_that_comes_back_counts_again_with_what_it_holds_then() -> None:
    followed = follow(image_list(BASE))
    followed.shelf.configmaps.clear()
    followed.look()
    followed.shelf.put(image_list(TEAM))
    followed.look()
    assert (followed.reason(BASE), followed.reason(TEAM)) == (Reason.NOT_TRACKED, Reason.UNSCANNED)
    assert followed.said[-1] == ("data counts again", f"{NAMES.image_list}: ")


def test_a_main_list_that_was_never_there_is_said_once_and_so_is_its_coming() -> None:
    followed = follow(team_list(TEAM))
    followed.look()
    assert followed.said == [("data does not count", f"{NAMES.image_list}: ")]
    followed.shelf.put(image_list(BASE))
    followed.look()
    assert followed.said[1:] == [("data counts again", f"{NAMES.image_list}: ")]


def with_a_wrong_clock(behind: timedelta) -> Followed:
    followed = Followed(now=NOW - behind)
    followed.shelf.put(image_list(BASE), records({BASE: clean(BASE)}))
    followed.look()
    assert followed.standing.bad_entries["records"] == 2
    return followed


def test_a_record_ahead_of_a_wrong_clock_is_kept_and_reported_until_the_clock_is_right() -> None:
    followed = with_a_wrong_clock(timedelta(days=1))
    assert followed.reason(BASE) is Reason.APPROVED, "a record that is dropped would loosen what it denies"
    followed.now = NOW
    followed.look()
    assert followed.reason(BASE) is Reason.APPROVED
    assert followed.standing.bad_entries["records"] == 0
    assert [event for event, _ in followed.said] == ["data does not count"] * 2 + ["data counts again"] * 2


def test_a_clock_that_is_set_back_heals_as_well() -> None:
    followed = with_a_wrong_clock(timedelta(hours=1.5))
    followed.look(after_seconds=-3600)
    followed.look(after_seconds=61)
    assert followed.standing.bad_entries["records"] == 2
    followed.now = NOW
    followed.look()
    assert followed.reason(BASE) is Reason.APPROVED


def test_data_with_problems_is_read_again_every_minute_and_not_more_often() -> None:
    followed = with_a_wrong_clock(timedelta(days=1))
    for seconds, snapshots in ((30, 1.0), (29, 1.0), (1, 2.0), (30, 2.0)):
        followed.look(after_seconds=seconds)
        assert followed.count("patchgate_snapshots_total") == snapshots


def test_data_that_still_does_not_count_is_not_said_to_count_again() -> None:
    followed = with_a_wrong_clock(timedelta(days=1))
    followed.look(after_seconds=61)
    assert [event for event, _ in followed.said] == ["data does not count"] * 2


def test_a_file_that_is_broken_in_another_way_is_not_said_to_count_again() -> None:
    followed = follow(image_list(BASE))
    for line in (3, 4):
        followed.shelf.problems = (Problem("team.yaml", "", f"cannot be read: not YAML: line {line}"),)
        followed.look()
    assert "data counts again" not in [event for event, _ in followed.said]


def test_a_problem_is_said_once_however_often_it_is_seen() -> None:
    followed = follow(image_list(BASE, "no image"))
    for _ in range(5):
        followed.look(after_seconds=61)
    assert followed.said == [("data does not count", f"{NAMES.image_list}: line 2")]


def test_a_source_that_cannot_be_read_leaves_all_as_it_is_and_is_said_and_counted() -> None:
    followed = follow(image_list(BASE))
    before = followed.standing.snapshot
    followed.shelf.fault = SourceError("--source /x: gone")
    followed.look(after_seconds=5)
    followed.look(after_seconds=5)
    assert followed.standing.snapshot is before
    assert followed.standing.read_at == NOW
    assert followed.count("patchgate_errors_total", where="source") == 2.0
    assert followed.standing.bad_entries["source"] == 1
    assert [str(problem) for problem in followed.standing.source_problems] == [
        "source: --source /x: gone; the last good data stays in force"
    ]
    followed.shelf.fault = None
    followed.look(after_seconds=5)
    assert followed.said == [("data does not count", "source: "), ("data counts again", "source: ")]
    assert followed.standing.bad_entries["source"] == 0


def test_a_file_is_not_said_to_count_again_because_the_whole_source_is_gone() -> None:
    followed = Followed()
    followed.shelf.put(image_list(BASE))
    followed.shelf.problems = (Problem("team.yaml", "", "cannot be read"),)
    followed.look()
    followed.shelf.fault = SourceError("--source /x: gone")
    followed.look()
    assert "data counts again" not in [event for event, _ in followed.said]


def test_a_defect_in_reading_leaves_all_as_it_is_and_the_next_look_is_fine() -> None:
    followed = follow(image_list(BASE))
    followed.shelf.put(image_list(TEAM))
    followed.shelf.fault = ZeroDivisionError("a defect")
    followed.look()
    assert followed.reason(BASE) is Reason.UNSCANNED
    assert followed.count("patchgate_errors_total", where="source") == 1.0
    assert [event for event, _ in followed.said] == [
        "the source could not be taken in; the last good data stays in force"
    ]
    followed.shelf.fault = None
    followed.look()
    assert followed.reason(TEAM) is Reason.UNSCANNED


def test_following_reads_at_once_and_at_every_word() -> None:
    followed = Followed()
    followed.shelf.put(image_list(BASE))
    asyncio.run(followed.follower.run())
    assert (followed.reason(BASE), followed.count("patchgate_snapshots_total")) == (Reason.UNSCANNED, 1.0)
    followed.shelf.words = 2
    asyncio.run(followed.follower.run())
    assert followed.reason(TEAM) is Reason.UNSCANNED


def test_a_defect_in_telling_is_lived_through(monkeypatch: pytest.MonkeyPatch) -> None:
    followed = Followed()
    followed.shelf.put(image_list(BASE))
    followed.shelf.words = 1

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Standing, "count_bad_entries", fail)
    asyncio.run(followed.follower.run())
    assert followed.reason(TEAM) is Reason.UNSCANNED
    assert followed.count("patchgate_errors_total", where="source") == 2.0
