"""A pace: what is sorted at one comes as `sorted` gives it, and every thing that is looked at goes through the pace."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import pytest

from patchgate.policy.pace import sort_in_runs

_Thing = TypeVar("_Thing")


class Steps:
    """A pace that counts its steps."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, things: Iterable[_Thing]) -> Iterator[_Thing]:
        for thing in things:
            self.count += 1
            yield thing


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 5000])
def test_it_sorts_as_sorted_does_equal_ones_too(size: int) -> None:
    things = [(number * 7919 % 97, number) for number in range(size)]
    assert list(sort_in_runs(things, lambda thing: thing[0])) == sorted(things, key=lambda thing: thing[0])


def test_it_is_sorted_in_short_steps() -> None:
    steps = Steps()
    assert list(sort_in_runs(range(5000, 0, -1), lambda number: number, steps)) == list(range(1, 5001))
    assert steps.count == -(-5000 // 512) + 5000


def test_nothing_is_looked_at_before_the_pace_allows_it() -> None:
    seen: list[int] = []

    def watch() -> Iterator[int]:
        for number in range(5000):
            seen.append(number)
            yield number

    def stop(things: Iterable[_Thing]) -> Iterator[_Thing]:
        yield next(iter(things))
        raise InterruptedError

    with pytest.raises(InterruptedError):
        sort_in_runs(watch(), lambda number: number, stop)
    assert len(seen) == 512
