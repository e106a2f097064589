"""What a run came to: every image's outcome, the states of all records, and the exit code. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchgate.patcher.progress import Outcome, Result
from patchgate.policy.part import Problem
from patchgate.policy.record import State

FAILURES: Final = frozenset({Result.FAILED, Result.LEFT})
"""Results that make a run exit 1. What waits for others (`pending`, `unpatchable`) is told of by its SLA instead."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run that ended.

    Attributes:
        outcomes: of every image, in the order they were begun in.
        problems: what of the data does not count, and what went wrong with the run as a whole.
        is_noted: whether the store knows that all images were gone through.
        states: state → listed images that are in it now.
        began: aware UTC.
        ended: aware UTC.
        database: when the scanner's database was made; None where that is not known.
    """

    outcomes: Sequence[Outcome]
    problems: Sequence[Problem]
    is_noted: bool
    states: Mapping[State, int]
    began: datetime
    ended: datetime
    database: datetime | None

    @property
    def results(self) -> Mapping[Result, int]:
        """Result → how many images, every result there is."""
        counted = Counter(outcome.result for outcome in self.outcomes)
        return {result: counted[result] for result in Result}

    @property
    def exit_code(self) -> int:
        """0 where no image failed or was left, else 1 (contract, section 6)."""
        return int(any(outcome.result in FAILURES for outcome in self.outcomes) or not self.is_noted)

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.began).total_seconds()

    def say_counts(self) -> str:
        """Say how many images came to what: `3 images: 2 patched, 1 clean, in 31 s`."""
        counts = ", ".join(f"{count} {result.value}" for result, count in self.results.items() if count)
        images = f"{len(self.outcomes)} image{'' if len(self.outcomes) == 1 else 's'}"
        return f"{images}{f': {counts}' if counts else ''}, in {self.seconds:.0f} s"

    def __str__(self) -> str:
        first = next((outcome for outcome in self.outcomes if outcome.result is Result.FAILED), None)
        return self.say_counts() + (f"; {first.key}: {first.message}" if first else "")
