"""Which points of a table of faults a day has: three, and all of them within the days that it takes."""

import pytest

from tests.patch_faults.points_of_the_day import choose_points


def test_a_day_has_three_neighbours_in_the_order_of_the_table() -> None:
    assert choose_points("abcdefgh", 1) == ["d", "e", "f"]
    assert choose_points("abcdefgh", 2) == ["a", "g", "h"]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 8, 12, 13])
def test_every_point_has_its_day_within_one_turn(size: int) -> None:
    days = range(327, 327 + -(-size // 3))
    table = range(size)
    assert {point for day in days for point in choose_points(table, day)} == set(table)
    assert {len(choose_points(table, day)) for day in days} == {min(3, size)}
