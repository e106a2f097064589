"""Turns: one at a time, with rests between slices, and what fails is the caller's alone."""

import asyncio
import contextlib
import itertools
import threading
import time

import pytest

from patchgate.errors import RequestError
from patchgate.policy.pace import Pace
from patchgate.server.turns import Turns


def burn(seconds: float) -> None:
    """Use the CPU, as rendering does."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_one_thing_is_done_at_a_time_and_not_on_the_event_loop() -> None:
    loop_thread, seen, running = threading.get_ident(), set[int](), []

    def work(_: Pace) -> int:
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


def test_turns_together_take_their_share_of_a_processor_and_no_more() -> None:
    async def ask() -> float:
        turns, start = Turns(share=0.1), time.monotonic()
        for _ in range(4):
            await turns.take(lambda _: burn(0.02))
        return time.monotonic() - start

    assert asyncio.run(ask()) >= 3 * 0.02 * 10  # the caller of the last one does not wait for its rest


def test_what_fails_is_rested_for_as_well() -> None:
    def fail(_: Pace) -> None:
        burn(0.02)
        raise ZeroDivisionError

    async def ask() -> float:
        turns, start = Turns(share=0.1), time.monotonic()
        for _ in range(4):
            with contextlib.suppress(ZeroDivisionError):
                await turns.take(fail)
        return time.monotonic() - start

    assert asyncio.run(ask()) >= 3 * 0.02 * 10


def test_a_turn_rests_between_its_things_and_others_are_let_in() -> None:
    def burn_often(pace: Pace) -> list[int]:
        numbers = []
        for number in pace(range(4)):
            burn(0.02)
            numbers.append(number)
        return numbers

    async def ask() -> tuple[float, int, list[int]]:
        start, looks = time.monotonic(), 0
        turn = asyncio.create_task(Turns(share=0.1).take(burn_often))
        while not turn.done():
            looks += 1
            await asyncio.sleep(0.001)
        return time.monotonic() - start, looks, turn.result()

    seconds, looks, numbers = asyncio.run(ask())
    assert seconds >= 3 * 0.02 * 10
    assert looks > 3
    assert numbers == [0, 1, 2, 3]


def test_what_nobody_waits_for_any_more_ends() -> None:
    begun, ended = threading.Event(), threading.Event()

    def count(pace: Pace) -> None:
        try:
            for _ in pace(itertools.count()):
                begun.set()
        finally:
            ended.set()

    async def ask() -> None:
        turn = asyncio.create_task(Turns().take(count))
        assert await asyncio.to_thread(begun.wait, 60)
        turn.cancel()
        assert await asyncio.to_thread(ended.wait, 60)

    asyncio.run(ask())


def test_what_fails_gives_the_next_its_turn() -> None:
    async def ask() -> int:
        turns = Turns()
        with pytest.raises(ZeroDivisionError):
            await turns.take(lambda _: 1 // 0)
        return await turns.take(lambda _: 7)

    assert asyncio.run(ask()) == 7


def test_who_goes_away_gives_the_next_its_turn() -> None:
    async def ask() -> int:
        turns = Turns()
        gone = asyncio.create_task(turns.take(lambda _: time.sleep(0.05)))
        await asyncio.sleep(0.01)
        gone.cancel()
        return await turns.take(lambda _: 7)

    assert asyncio.run(ask()) == 7


def test_who_comes_while_too_many_wait_is_sent_away_and_the_others_have_their_turn() -> None:
    async def ask() -> list[int | BaseException]:
        turns = Turns(share=1, most_waiting=3)
        asked = (turns.take(lambda _: 7) for _ in range(5))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return [*answers, await turns.take(lambda _: 8)]

    *first, fourth, fifth, last = asyncio.run(ask())
    assert (first, last) == ([7, 7, 7], 8)
    assert [isinstance(each, RequestError) and each.status for each in (fourth, fifth)] == [503, 503]


def test_who_goes_away_or_fails_waits_no_more() -> None:
    async def ask() -> int:
        turns = Turns(share=1, most_waiting=1)
        gone = asyncio.create_task(turns.take(lambda _: time.sleep(0.05)))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.wait([gone])
        with pytest.raises(ZeroDivisionError):
            await turns.take(lambda _: 1 // 0)
        return await turns.take(lambda _: 7)

    assert asyncio.run(ask()) == 7


def test_who_has_left_takes_no_turn_and_keeps_nobody_waiting() -> None:
    done: list[int] = []

    async def has_left() -> bool:
        return True

    async def ask() -> int:
        turns = Turns(share=1)
        with pytest.raises(RequestError, match="nobody waits"):
            await turns.take(lambda _: done.append(1), has_left)
        return await turns.take(lambda _: 7)

    assert (asyncio.run(ask()), done) == (7, [])
