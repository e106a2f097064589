"""How long it is measured."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds and times.

    Attributes:
        rounds: of each server in each size.
        seconds: of each of them.
        change_rounds: at rest, changing, and at rest again.
        change_seconds: of each of them.
        swap_seconds: how long memory is watched, a change a second.
        in_force: how many changes are timed.
    """

    rounds: int
    seconds: int
    change_rounds: int
    change_seconds: int
    swap_seconds: int
    in_force: int


FULL: Final = Plan(rounds=7, seconds=4, change_rounds=5, change_seconds=8, swap_seconds=15, in_force=20)
QUICK: Final = Plan(rounds=3, seconds=1, change_rounds=2, change_seconds=4, swap_seconds=5, in_force=5)
