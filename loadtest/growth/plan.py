"""How long growth is measured."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Plan:
    """Rounds and times.

    Attributes:
        rounds: of each place of a curve.
        seconds: of each of them.
        changes: how often so many ConfigMaps are changed at once, each number.
    """

    rounds: int
    seconds: int
    changes: int


FULL: Final = Plan(rounds=5, seconds=2, changes=5)
QUICK: Final = Plan(rounds=1, seconds=1, changes=2)
