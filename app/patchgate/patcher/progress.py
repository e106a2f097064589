"""What a run tells while it goes on: a step of an image, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """What is being done for an image."""

    RESOLVE = "resolve"
    SCAN = "scan"
    PATCH = "patch"
    VERIFY = "verify"
    TAG = "tag"
    RECORD = "record"


class Result(StrEnum):
    """What became of an image in this run."""

    UNCHANGED = "unchanged"
    PATCHED = "patched"
    CLEAN = "clean"
    PENDING = "pending"
    UNPATCHABLE = "unpatchable"
    FAILED = "failed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an image in this run.

    Attributes:
        key: `REPO:TAG`.
        result: in a word.
        message: one line for people; what to do where it failed.
        fixable_before: severity → fixable findings of the source.
        fixable_after: severity → those of the approved image or candidate.
        seconds: how long it took.
    """

    key: str
    result: Result
    message: str
    fixable_before: Mapping[str, int] = field(default_factory=dict)
    fixable_after: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Progress(Protocol):
    """Hears how a run goes on, from several threads."""

    def begin_step(self, key: str, step: Step, detail: str) -> None:
        """Hear that a step of an image begins."""
        ...

    def end_image(self, outcome: Outcome) -> None:
        """Hear what became of an image."""
        ...
