"""Answers of the plan: what to do next with an image, or what has become of it. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass

from patchgate.patcher.finding import Report


@dataclass(frozen=True, slots=True)
class Refresh:
    """Nothing is new: the approval's `verified` is now."""


@dataclass(frozen=True, slots=True)
class RescanApproved:
    """The source is the same, but the database, the threshold or the platforms are not: scan what is approved.

    Attributes:
        platforms: those to scan.
    """

    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScanSource:
    """Scan the source."""


@dataclass(frozen=True, slots=True)
class Fail:
    """Nothing can be done.

    Attributes:
        message: why, and what to do.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Clean:
    """Nothing fixable counts: the source itself is approved."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Findings count: patch by these reports, those with anything fixable.

    Attributes:
        reports: one a platform that has findings of any severity.
    """

    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Unpatchable:
    """Nobody can patch it.

    Attributes:
        message: why.
    """

    message: str


@dataclass(frozen=True, slots=True)
class Approve:
    """The candidate is verified.

    Attributes:
        platforms: platform → digest of what was verified.
    """

    platforms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pending:
    """The candidate is not good enough; the SLA's clock runs on.

    Attributes:
        message: why.
    """

    message: str
