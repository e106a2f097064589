"""Findings: what a scanner says of one platform of an image, once its report has been checked."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from patchgate.policy.policy import Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """A vulnerability of an installed OS package that a newer version fixes."""

    identifier: str
    package: str
    installed: str
    fixed: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Report:
    """A scan of one platform that may be believed: its digest, OS and architecture are those asked for.

    Attributes:
        platform: such as `linux/amd64`.
        os_family: Trivy's word, such as `debian`; empty where no OS packages are seen in the image.
        os_version: such as `12.5`.
        is_end_of_life: whether nobody publishes fixes for this OS any more.
        findings: fixable ones of OS packages, every severity.
        library_findings: how many fixable ones libraries have, which Copa does not patch; None where not counted.
        file: the report as the scanner wrote it, for Copa.
    """

    platform: str
    os_family: str
    os_version: str
    is_end_of_life: bool
    findings: tuple[Finding, ...]
    library_findings: int | None
    file: Path


def count_by_severity(findings: Iterable[Finding]) -> Mapping[str, int]:
    """Count different findings (one of two platforms is one), the gravest severity first, none left out but zeros."""
    different = {(each.identifier, each.package): each.severity for each in findings}
    counted = Counter(different.values())
    return {severity.value: counted[severity] for severity in reversed(Severity) if counted[severity]}


def list_counting(findings: Iterable[Finding], threshold: Severity) -> list[Finding]:
    """List those at the threshold or above."""
    order = list(Severity)
    return [each for each in findings if order.index(each.severity) >= order.index(threshold)]
