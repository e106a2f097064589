"""The pauses between requests that fail."""

import pytest

from patchgate.cluster.pace import Pace


@pytest.mark.parametrize(
    ("failures", "longest"), [(0, 0.0), (1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 5.0), (1000, 5.0)]
)
def test_pauses_double_up_to_the_longest_and_are_jittered_down_to_half(failures: int, longest: float) -> None:
    pauses = {Pace().choose_pause_seconds(failures) for _ in range(200)}
    assert longest / 2 <= min(pauses) <= max(pauses) <= longest
    assert len(pauses) == (200 if failures else 1)


def test_watches_of_replicas_end_apart() -> None:
    assert {Pace().choose_watch_seconds() for _ in range(500)} == {30, 31, 32, 33, 34, 35}
