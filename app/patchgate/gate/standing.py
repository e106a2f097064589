"""What stands now: the snapshot in force, and what its source could not read."""

from dataclasses import dataclass

from patchgate.policy.part import Problem
from patchgate.policy.snapshot import Snapshot


@dataclass(slots=True)
class Standing:
    """The one mutable place of the gate. It is swapped whole; a reader takes it once.

    Attributes:
        snapshot: in force; None before the first.
        source_problems: what the source could not read.
    """

    snapshot: Snapshot | None = None
    source_problems: tuple[Problem, ...] = ()
