"""What a record and a summary say of an image that went well, in one line for people. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final

from patchgate.patcher.finding import Finding, Report, count_by_severity, list_counting
from patchgate.policy.policy import Severity

_PACKAGES_SHOWN: Final = 3


def say_clean(reports: Sequence[Report], left_out: Sequence[str], threshold: Severity) -> str:
    """Say that nothing counts, and what does not count."""
    return _join([f"nothing to fix at {_say_threshold(threshold)}", *_list_asides(reports, left_out)])


def say_patched(reports: Sequence[Report], left_out: Sequence[str], threshold: Severity) -> str:
    """Say what was fixed: `2 CRITICAL findings fixed by libssl3 3.0.19-1~deb12u2`. reports: of the source."""
    counting = list_counting(_list_findings(reports), threshold)
    counts = count_by_severity(counting)
    said = ", ".join(f"{number} {severity}" for severity, number in counts.items())
    noun = "finding" if sum(counts.values()) == 1 else "findings"
    return _join([f"{said} {noun} fixed by {_say_packages(counting)}", *_list_asides(reports, left_out)])


def _say_threshold(threshold: Severity) -> str:
    return f"{threshold.value} or above"


def _say_packages(findings: Iterable[Finding]) -> str:
    """Name packages with the version that fixes them, the first few."""
    packages = list(dict.fromkeys(f"{each.package} {each.fixed}" for each in findings))
    more = len(packages) - _PACKAGES_SHOWN
    return ", ".join(packages[:_PACKAGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _list_asides(reports: Sequence[Report], left_out: Sequence[str]) -> list[str]:
    libraries = sum(report.library_findings or 0 for report in reports)
    asides = [f"{libraries} fixable library findings, which Copa does not patch"] if libraries else []
    if left_out:
        asides.append(f"not looked at, as the policy does not name them: {', '.join(left_out)}")
    return asides


def _list_findings(reports: Iterable[Report]) -> list[Finding]:
    return [finding for report in reports for finding in report.findings]


def _join(parts: Iterable[str]) -> str:
    return "; ".join(parts)
