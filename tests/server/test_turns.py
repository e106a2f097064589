"""Turns: one at a time, none during a rest, and what fails is the caller's alone."""

import asyncio
import threading
import time

import pytest

from patchgate.errors import RequestError
from patchgate.server.turns import Turns


def burn(seconds: float) -> None:
    """Use the CPU, as rendering does."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_one_thing_is_done_at_a_time_and_not_on_the_event_loop() -> None:
    loop_thread, seen, running = threading.get_ident(), set[int](), []

    def work() -> int:
        seen.add(threading.get_ident())
        running.append(1)
        most = len(running)
        time.sleep(0.01)
        running.pop()
        return most

    async def ask() -> list[int]:
        turns = Turns(share=1)
        return await asyncio.gather(*(turns.take(work) for _ in range(5)))

    assert asyncio.run(ask()) == [1] * 5
    assert loop_thread not in seen


def test_it_takes_its_share_of_a_processor_and_no_more() -> None:
    async def ask() -> float:
        turns, start = Turns(share=0.1), time.monotonic()
        for _ in range(4):
            await turns.take(lambda: burn(0.02))
        return time.monotonic() - start

    assert asyncio.run(ask()) >= 3 * 0.02 * 10  # the caller of the last one does not wait for its rest


def test_what_fails_gives_the_next_its_turn() -> None:
    async def ask() -> int:
        turns = Turns()
        with pytest.raises(ZeroDivisionError):
            await turns.take(lambda: 1 // 0)
        return await turns.take(lambda: 7)

    assert asyncio.run(ask()) == 7


def test_who_goes_away_gives_the_next_its_turn() -> None:
    async def ask() -> int:
        turns = Turns()
        gone = asyncio.create_task(turns.take(lambda: time.sleep(0.05)))
        await asyncio.sleep(0.01)
        gone.cancel()
        return await turns.take(lambda: 7)

    assert asyncio.run(ask()) == 7


def test_a_rest_has_an_end_however_long_the_turn_was() -> None:
    async def ask() -> int:
        turns = Turns(share=1e-9, most_seconds=0.1)
        await turns.take(lambda: burn(0.01))  # a rest of 100 days
        return await asyncio.wait_for(turns.take(lambda: 7), timeout=60)

    assert asyncio.run(ask()) == 7


def test_who_comes_while_too_many_wait_is_sent_away_and_the_others_have_their_turn() -> None:
    async def ask() -> list[int | BaseException]:
        turns = Turns(share=1, most_waiting=3)
        asked = (turns.take(lambda: 7) for _ in range(5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [*answers, await turns.take(lambda: 8)]

    *first, fourth, fifth, last = asyncio.run(ask())
    assert (first, last) == ([7, 7, 7], 8)
    assert [isinstance(each, RequestError) and each.status for each in (fourth, fifth)] == [503, 503]


def test_who_goes_away_or_fails_waits_no_more() -> None:
    async def ask() -> int:
        turns = Turns(share=1, most_waiting=1)
        gone = asyncio.create_task(turns.take(lambda: time.sleep(0.05)))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.wait([gone])
        with pytest.raises(ZeroDivisionError):
            await turns.take(lambda: 1 // 0)
        return await turns.take(lambda: 7)

    assert asyncio.run(ask()) == 7


def test_who_has_left_takes_no_turn_and_keeps_nobody_waiting() -> None:
    done: list[int] = []

    async def has_left() -> bool:
        return True

    async def ask() -> int:
        turns = Turns(share=1)
        with pytest.raises(RequestError, match="nobody waits"):
            await turns.take(lambda: done.append(1), has_left)
        return await turns.take(lambda: 7)

    assert (asyncio.run(ask()), done) == (7, [])
