"""What a run works with: who answers, who scans, who patches, where records are kept, and when to end."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from patchgate.errors import ImageError
from patchgate.patcher.fixer import Fixer
from patchgate.patcher.progress import Progress
from patchgate.patcher.registry import Registry
from patchgate.patcher.scanner import ImageScanner
from patchgate.patcher.shard import Shard
from patchgate.patcher.stop import Stop
from patchgate.patcher.store import Store
from patchgate.policy.part import Problem
from patchgate.policy.policy import Policy
from patchgate.policy.record import Scanner

TellAuthors = Callable[[Sequence[Problem]], None]
"""Tells whoever wrote a list of its images that failed; raises SourceError where that fails."""


def tell_nobody(failures: Sequence[Problem]) -> None:
    """Tell nobody of failures beyond what the run says: on a directory nobody looks on."""
    del failures


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run works with; all of it is safe for threads.

    Attributes:
        registry: every registry.
        scanner: finds what is vulnerable.
        fixer: patches.
        store: where list, policy and records are kept.
        clock: gives now, aware UTC.
        progress: hears how it goes on.
        stop: whether to end.
        directory: for files of this run alone.
        shard: the part of all images that is this run's.
        tell: tells whoever wrote a list of its images that failed, where there is a way.
    """

    registry: Registry
    scanner: ImageScanner
    fixer: Fixer
    store: Store
    clock: Callable[[], datetime]
    progress: Progress
    stop: Stop
    directory: Path
    shard: Shard = field(default_factory=Shard)
    tell: TellAuthors = tell_nobody


@dataclass(frozen=True, slots=True)
class Basis:
    """What holds for every image of a run.

    Attributes:
        policy: in force when it began.
        scanner: who scans, with which database.
    """

    policy: Policy
    scanner: Scanner


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when an image must be done.

    Attributes:
        at: seconds of time.monotonic.
        limit_seconds: how long it has had then.
    """

    at: float
    limit_seconds: float

    def find_seconds_left(self) -> float:
        """Find how long what is begun now may take.

        Raises:
            ImageError: nothing may be begun any more.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise ImageError(f"took longer than {self.limit_seconds:g} s; give it more with --image-limit-seconds")
        return left
