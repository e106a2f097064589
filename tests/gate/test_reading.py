"""A reading that does not end: it is said, nothing waits for it, and it counts when it does end."""

import asyncio
import io
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable

import pytest
from prometheus_client import CollectorRegistry

from patchgate.configmaps.configmap import ConfigMap
from patchgate.gate.follow import Follower
from patchgate.gate.log import make_log
from patchgate.gate.reading_thread import start_in_thread
from patchgate.gate.standing import Standing
from patchgate.metrics import GateMetrics
from patchgate.sources.source import Reading
from tests.world import NAMES, NOW, image_list

HANGS = "is being read for more than 30 s: does what it is on still answer?; the last good data stays in force"

ERRORS = ("patchgate_errors_total", {"where": "source"})


class Hanging:
    """A source on a file system that hangs until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.readings = 0

    def read(self, take: Callable[[ConfigMap], None]) -> Reading:
        self.readings += 1
        assert self.goes_on.wait(60)
        take(image_list("nginx:1"))
        return Reading(frozenset({NAMES.image_list}), ())

    def forget(self, names: Iterable[str]) -> None: ...

    async def changes(self) -> AsyncIterator[None]:
        yield


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Hanging:
    monkeypatch.setattr("patchgate.gate.follow.READING_SECONDS", 0.05)
    return Hanging()


async def wait_until(is_so: Callable[[], object]) -> None:
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not so after 20 s")


def test_a_reading_that_hangs_is_said_once_and_counts_when_it_ends(hanging: Hanging) -> None:
    said, standing = io.StringIO(), Standing()
    metrics = GateMetrics(CollectorRegistry())
    follower = Follower(hanging, NAMES, standing, lambda: NOW, metrics, make_log(said))

    async def follow() -> None:
        looking = asyncio.create_task(follower.look())
        await wait_until(lambda: (metrics.registry.get_sample_value(*ERRORS) or 0) >= 2)
        assert [str(problem) for problem in standing.source_problems] == [f"source: {HANGS}"]
        assert standing.bad_entries["source"] == 1
        hanging.goes_on.set()
        await looking

    asyncio.run(follow())
    assert hanging.readings == 1
    assert standing.snapshot
    assert standing.source_problems == ()
    lines = [(line["event"], line["configmap"]) for line in map(json.loads, said.getvalue().splitlines())]
    assert lines == [("data does not count", "source"), ("data counts again", "source")]


def test_the_end_does_not_wait_for_a_reading_that_hangs(hanging: Hanging) -> None:
    follower = Follower(
        hanging, NAMES, Standing(), lambda: NOW, GateMetrics(CollectorRegistry()), make_log(io.StringIO())
    )

    async def follow() -> None:
        following = asyncio.create_task(follower.run())
        await wait_until(lambda: hanging.readings)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    asyncio.run(follow())
    assert not hanging.goes_on.is_set()
    hanging.goes_on.set()  # its thread ends, and finds that nobody listens


@pytest.mark.parametrize("fails", [False, True])
def test_a_thread_gives_its_result_or_its_error(fails: bool) -> None:
    def do() -> int:
        if fails:
            raise OSError("no such luck")
        return 17

    async def run() -> int:
        return await start_in_thread(do)

    if fails:
        with pytest.raises(OSError, match="no such luck"):
            asyncio.run(run())
    else:
        assert asyncio.run(run()) == 17


def test_a_result_that_nobody_waits_for_any_more_is_dropped() -> None:
    goes_on = threading.Event()

    async def run() -> None:
        thrown_away = start_in_thread(goes_on.wait)
        thrown_away.cancel()
        goes_on.set()
        await start_in_thread(lambda: None)
        await asyncio.sleep(0.05)
        assert thrown_away.cancelled()

    asyncio.run(run())
