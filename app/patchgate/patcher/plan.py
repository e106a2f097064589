"""What to do with an image: the decisions of a run, each a pure function of what is known by then.

Three questions in the order of a run (docs/patcher.md). Nothing here asks a registry, a scanner or a clock; what the
answers make of the record is `transition`'s part.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from patchgate.limits import CLOCK_SKEW_SECONDS
from patchgate.patcher.answer import (
    Approve,
    Clean,
    Fail,
    Patch,
    Pending,
    Refresh,
    RescanApproved,
    ScanSource,
    Unpatchable,
)
from patchgate.patcher.finding import Finding, Report, count_by_severity, list_counting
from patchgate.patcher.image import Manifest
from patchgate.patcher.record_step import round_scanner
from patchgate.policy.platform import normalise_platform
from patchgate.policy.policy import Policy, Severity
from patchgate.policy.record import Record, Scanner
from patchgate.policy.verdict import say_duration

_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)
_NAMED_FINDINGS: Final = 3
"""Findings that a message names; the record counts all."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What two HEADs and the scanner's probe tell.

    Attributes:
        source_digest: what the tag, or the line's own digest, resolved to; None where there is nothing.
        has_approved: whether the digest that the record approves is still in its registry.
        scanner: who would scan, and with which database.
    """

    source_digest: str | None
    has_approved: bool
    scanner: Scanner


def plan_first(
    record: Record | None, facts: Facts, policy: Policy, now: datetime
) -> Refresh | RescanApproved | ScanSource | Fail:
    """Decide how an image is begun with; now: aware UTC.

    An empty threshold beside an approval says that it is none of the present source (`transition`).
    """
    if facts.source_digest is None:
        return Fail("is not in its registry: mend the tag in the image list, or push the image")
    if fault := _find_fault(facts.scanner, policy, now):
        return Fail(fault)
    if record is None or record.approved is None or record.source_digest != facts.source_digest:
        return ScanSource()
    wanted = select_platforms(policy.platforms, record.source_platforms)
    may_have_more = record.platforms_left_out > 0 and len(wanted) < len(policy.platforms)
    is_covered = bool(wanted) and set(wanted) <= record.approved.platforms.keys() and not may_have_more
    if not facts.has_approved or not record.threshold or not is_covered:
        return ScanSource()
    if _is_verified_as_now(record, facts.scanner, policy) and len(wanted) == len(record.approved.platforms):
        return Refresh()
    return RescanApproved(wanted)


def select_platforms(wanted: Sequence[str], offered: Collection[str]) -> tuple[str, ...]:
    """Select the platforms of an image that the policy asks for, in the policy's order.

    `linux/arm64/v8` and `linux/arm64` are one (`policy.platform`).
    """
    by_name = {normalise_platform(platform): platform for platform in offered}
    found = (by_name.get(normalise_platform(platform)) for platform in wanted)
    return tuple(dict.fromkeys(platform for platform in found if platform))


def judge_approved(record: Record, reports: Sequence[Report], policy: Policy) -> Refresh | ScanSource | Unpatchable:
    """Judge the scan of what is approved. Where that is the source itself, its reports serve `judge_source` too.

    A patched image whose OS has reached its end of life stays approved while nothing fixable counts: the source, which
    would be left, is worse. A clean source is the source, and is no longer clean. A patched image in which no OS is
    seen any more was not scanned at all.
    """
    if has_counting(reports, policy):
        return ScanSource()
    fault = _find_unpatchable(reports)
    if fault and record.approved is not None and record.approved.digest == record.source_digest:
        return Unpatchable(fault)
    return Refresh() if all(report.os_family for report in reports) else ScanSource()


def judge_source(
    reports: Sequence[Report], platforms: Sequence[str], policy: Policy, can_patch: Callable[[Report], bool]
) -> Clean | Patch | Unpatchable | Fail:
    """Judge the scan of a source.

    platforms: those that had to be scanned; none where the source has none of the policy's.
    can_patch: tells whether the fixer knows a report's OS.
    """
    if not platforms:
        return Fail(f"has none of the platforms that the policy names ({', '.join(policy.platforms)})")
    if missing := sorted(set(platforms) - {report.platform for report in reports}):
        return Fail(f"has no report of {', '.join(missing)}")
    if fault := _find_unpatchable(reports):
        return Unpatchable(fault)
    if not has_counting(reports, policy):
        return Clean()
    with_findings = tuple(report for report in reports if report.findings)
    unknown = [report for report in with_findings if not can_patch(report)]
    if unknown:
        return Unpatchable(f"{_say_os(unknown[0])} is none that Copa can patch; {say_findings(reports, policy)}")
    return Patch(with_findings)


def judge_candidate(
    source: Manifest, candidate: Manifest, reports: Sequence[Report], platforms: Sequence[str], policy: Policy
) -> Approve | Pending:
    """Judge a pushed candidate by its manifest and the scans of it.

    platforms: those of the source that the policy asks for; each must have been scanned again.
    """
    if fault := _find_difference(source, candidate):
        return Pending(f"the patched image {fault}")
    missing = sorted(set(platforms) - {report.platform for report in reports})
    if missing or not platforms:
        return Pending(
            f"the patched image was not scanned: {', '.join(missing) or 'none of its platforms is asked for'}"
        )
    if fault := _find_unpatchable(reports):
        return Pending(f"the patched image {fault}")
    if has_counting(reports, policy):
        return Pending(f"the patched image still has {say_findings(reports, policy)}; the next run tries again")
    return Approve({platform: candidate.platforms[platform] for platform in platforms})


def has_counting(reports: Sequence[Report], policy: Policy) -> bool:
    """Tell whether any finding is at the threshold or above."""
    return bool(_list_counting(reports, policy.severity_threshold))


def say_findings(reports: Sequence[Report], policy: Policy) -> str:
    """Say what counts: `2 CRITICAL, 1 HIGH (libssl3 CVE-2026-1, zlib1g CVE-2026-2, …)`."""
    counting = _list_counting(reports, policy.severity_threshold)
    counts = ", ".join(f"{number} {severity}" for severity, number in count_by_severity(counting).items())
    names = list(dict.fromkeys(f"{each.package} {each.identifier}" for each in counting))
    more = ", …" if len(names) > _NAMED_FINDINGS else ""
    return f"{counts} ({', '.join(names[:_NAMED_FINDINGS])}{more})" if counting else "nothing that counts"


def list_left_out(platforms: Sequence[str], offered: Collection[str]) -> list[str]:
    """List the platforms of an image that nobody asked for: they stay in its index as they are."""
    return sorted(set(offered) - set(platforms))


def _find_fault(scanner: Scanner, policy: Policy, now: datetime) -> str:
    """Find why the scanner's word does not count; empty where it does."""
    if scanner.database is None:
        return f"{scanner.name} does not say how old its vulnerability database is: update it"
    age = now - scanner.database
    if -_SKEW <= age <= policy.stale_after:
        return ""
    if age < -_SKEW:  # a record that names it could not be read again
        return f"the vulnerability database is dated {say_duration(-age)} ahead of the clock here: mend the clock"
    limit = say_duration(policy.stale_after)
    return f"the vulnerability database is {say_duration(age)} old, at most {limit} counts: update it"


def _find_difference(source: Manifest, candidate: Manifest) -> str:
    """Find what the candidate lacks of its source or has beside it; empty where it is a patched image of it."""
    if lost := sorted(source.platforms.keys() - candidate.platforms.keys()):
        return f"lacks {', '.join(lost)}"
    if added := sorted(candidate.platforms.keys() - source.platforms.keys()):
        return f"has {', '.join(added)} beside what its source has"
    return "is its source: nothing was changed" if candidate.digest == source.digest else ""


def _is_verified_as_now(record: Record, scanner: Scanner, policy: Policy) -> bool:
    """Tell whether the approval was verified with this very database and threshold (contract, section 6)."""
    known, present = record.scanner, round_scanner(scanner)
    is_same = known is not None and (known.name, known.database) == (present.name, present.database)
    return is_same and record.threshold == policy.severity_threshold.value


def _list_counting(reports: Sequence[Report], threshold: Severity) -> list[Finding]:
    return list_counting((finding for report in reports for finding in report.findings), threshold)


def _find_unpatchable(reports: Sequence[Report]) -> str:
    """Find why no scan can ever call it clean; empty where one can."""
    for report in reports:
        if not report.os_family:
            return f"has no OS packages ({report.platform})"
        if report.is_end_of_life:
            return f"{_say_os(report)} is past its end of life: nobody publishes fixes for it"
    return ""


def _say_os(report: Report) -> str:
    return f"{report.os_family} {report.os_version}".rstrip()
