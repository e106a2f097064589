"""Chooses a few points of each table of faults, others every day, so that CI goes through all of them within days."""

from collections.abc import Sequence
from typing import TypeVar

POINTS_A_DAY = 3

Each = TypeVar("Each")


def choose_points(table: Sequence[Each], day_of_year: int) -> list[Each]:
    """Choose three neighbours of a table, in its order; the day after, the next three."""
    first = day_of_year * POINTS_A_DAY
    chosen = {(first + step) % len(table) for step in range(min(POINTS_A_DAY, len(table)))}
    return [each for number, each in enumerate(table) if number in chosen]
