"""Fixable findings as people read them: how many before patching, how many after, and how grave."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from patchgate.policy.policy import Severity
from patchgate.policy.record import Record

_WORST_FIRST: Final = tuple(reversed(Severity))


@dataclass(frozen=True, slots=True)
class SeverityLine:
    """One severity: its name, and its findings before and after."""

    severity: str
    before: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings of an image.

    Attributes:
        before: of the source, all severities.
        after: of what is approved; None where nothing is.
        grave: the gravest of those before, in words; empty where there are none.
        lines: each severity that occurs, the worst first.
    """

    before: int
    after: int | None
    grave: str
    lines: tuple[SeverityLine, ...]


def tell_findings(record: Record | None) -> Findings | None:
    """Tell of a record's findings; None where no scan is known."""
    if record is None or record.scanner is None:
        return None
    before, after = record.fixable_before, record.fixable_after
    is_known = record.approved is not None or bool(after)
    severities = [severity for severity in _WORST_FIRST if severity in before or severity in after]
    return Findings(
        before=sum(before.values()),
        after=sum(after.values()) if is_known else None,
        grave=", ".join(_say_grave(before)[:2]),
        lines=tuple(
            SeverityLine(severity.lower(), before.get(severity, 0), after.get(severity, 0) if is_known else None)
            for severity in severities
        ),
    )


def _say_grave(findings: Mapping[str, int]) -> list[str]:
    return [f"{findings[severity]} {severity.lower()}" for severity in _WORST_FIRST if findings.get(severity)]
