"""An attempt: one image in one run, as far as it got. A value; the run makes it, `transition` records it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from patchgate.patcher.image import Manifest, Target
from patchgate.policy.policy import Policy
from patchgate.policy.record import Scanner


@dataclass(frozen=True, slots=True)
class Attempt:
    """One image in one run, as far as it got.

    Attributes:
        target: what was asked for.
        policy: in force for the run.
        scanner: who scans.
        begun: when the source was resolved; aware UTC.
        source: what was found there; None before it was described.
        platforms: those of the source that the policy asks for (`plan.select_platforms`).
        is_vulnerable: whether findings of the source count; None before it was scanned.
        vulnerable_platforms: in which of `platforms` they do.
        fixable_before: severity → fixable findings of the source; None before it was scanned.
        fixable_after: severity → those of the approved image or the candidate; None before it was scanned.
    """

    target: Target
    policy: Policy
    scanner: Scanner
    begun: datetime
    source: Manifest | None = None
    platforms: tuple[str, ...] = ()
    is_vulnerable: bool | None = None
    vulnerable_platforms: tuple[str, ...] = ()
    fixable_before: Mapping[str, int] | None = None
    fixable_after: Mapping[str, int] | None = None
