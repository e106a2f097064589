"""A snapshot that is in force no more is kept by nobody who remembers something of it: that of many images is large."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Awaitable, Callable

import pytest

from patchgate.policy.case import Asker
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image
from patchgate.server.catalog import Catalog
from patchgate.server.judge import Judge
from patchgate.server.page.health import Health
from patchgate.server.page.query import Query
from patchgate.server.page.routes import StatusPage
from patchgate.server.turns import Turns
from patchgate.server.verdict_cache import VerdictCache
from tests.conftest import API, SHOP
from tests.world import NOW, snapshot


async def stay() -> bool:
    return False


def keep_only_weakly(use: Callable[[Callable[[], Snapshot]], Awaitable[None]]) -> bool:
    """Whether nobody holds the snapshot any more once it was used; the user of it lives on."""
    held = [snapshot(*SHOP)]
    find = weakref.ref(held[0])

    async def run() -> bool:
        await use(lambda: held[0])
        held.clear()
        gc.collect()
        return find() is None

    return asyncio.run(run())


def test_remembered_verdicts_hold_none() -> None:
    cache = VerdictCache()

    async def use(current: Callable[[], Snapshot]) -> None:
        cache.decide(Image(API), current(), Asker("shop"), NOW)

    assert keep_only_weakly(use)


def test_the_written_catalogue_holds_none() -> None:
    catalog = Catalog(lambda: NOW)

    async def use(current: Callable[[], Snapshot]) -> None:
        assert await catalog.write(current()) == await catalog.write(current())

    assert keep_only_weakly(use)


@pytest.mark.parametrize("path", ["status", "image"])
def test_the_page_holds_one_for_a_while_alone(path: str) -> None:
    pages = []

    async def use(current: Callable[[], Snapshot]) -> None:
        page = StatusPage(Judge(current, lambda: NOW), Health, index_seconds=0.01)
        pages.append(page)
        answer = await (page.show_status(Query(), stay) if path == "status" else page.show_image(API, stay))
        assert answer.status_code == 200
        assert page.has_index is (path == "status")
        async with asyncio.timeout(60):
            while page.has_index:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)

    assert keep_only_weakly(use)


def test_the_page_lets_go_of_it_though_too_many_waited_when_it_was_time() -> None:
    async def run() -> bool:
        released, turns = threading.Event(), Turns(most_waiting=1)
        world = snapshot(*SHOP)
        page = StatusPage(Judge(lambda: world, lambda: NOW), Health, turns, index_seconds=0.01)
        await page.show_status(Query(), stay)
        other = asyncio.create_task(turns.take(lambda _: released.wait()))  # as /v1/images: it makes no index
        await asyncio.sleep(0.1)  # meanwhile it was time
        assert page.has_index
        released.set()
        await other
        async with asyncio.timeout(60):
            while page.has_index:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
        return True

    assert asyncio.run(run())
