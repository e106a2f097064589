"""The plan, as tables: what is done first with an image, and what a scan of it means."""

from dataclasses import replace
from datetime import timedelta

import pytest

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
from patchgate.patcher.finding import Report
from patchgate.patcher.plan import (
    Facts,
    judge_approved,
    judge_candidate,
    judge_source,
    list_left_out,
    plan_first,
    select_platforms,
)
from patchgate.patcher.transition import record_clean, record_failure, record_patched, record_pending
from patchgate.policy.policy import Policy, Severity
from patchgate.policy.record import Record, Scanner
from tests.patcher.images import (
    AMD64,
    ARM64,
    BOTH,
    IMAGE,
    NEWER_TRIVY,
    TRIVY,
    approval,
    attempt,
    finding,
    hours,
    manifest,
    report,
)
from tests.world import NOW, digest, image_list, records, snapshot

SOURCE = manifest("source")
HELD = Facts(SOURCE.digest, has_approved=True, scanner=TRIVY)
PATCHED = record_patched(None, attempt(SOURCE, is_vulnerable=True), approval("20260509"), "", NOW)
CLEAN = record_clean(None, attempt(SOURCE, is_vulnerable=False), "", NOW)
PENDING = record_pending(PATCHED, attempt(SOURCE, is_vulnerable=True, scanner=NEWER_TRIVY), "no fix", NOW)
FAILED = record_failure(PATCHED, attempt(), "the registry is gone", NOW)
FAILED_AFTER_PENDING = record_failure(PENDING, attempt(), "the registry is gone", NOW)
NEVER_SCANNED = record_failure(None, attempt(SOURCE), "time-out", NOW)


@pytest.mark.parametrize(
    ("record", "facts", "policy", "expected"),
    [
        (None, HELD, Policy(), ScanSource()),
        (PATCHED, HELD, Policy(), Refresh()),
        (CLEAN, HELD, Policy(), Refresh()),
        (FAILED, HELD, Policy(), Refresh()),  # what failed was not its verification
        (NEVER_SCANNED, HELD, Policy(), ScanSource()),
        (PATCHED, replace(HELD, scanner=NEWER_TRIVY), Policy(), RescanApproved((AMD64,))),
        (CLEAN, replace(HELD, scanner=NEWER_TRIVY), Policy(), RescanApproved((AMD64,))),
        (FAILED, replace(HELD, scanner=NEWER_TRIVY), Policy(), RescanApproved((AMD64,))),
        (PATCHED, HELD, Policy(severity_threshold=Severity.HIGH), RescanApproved((AMD64,))),
        # a new version of the scanner with the same database knows nothing new
        (PATCHED, replace(HELD, scanner=Scanner("trivy", "0.70.0", TRIVY.database)), Policy(), Refresh()),
        # the database's time has fractions, the record's whole seconds
        (
            PATCHED,
            replace(HELD, scanner=Scanner("trivy", "0.69.3", NOW - hours(12) + timedelta(microseconds=7))),
            Policy(),
            Refresh(),
        ),
        (PATCHED, replace(HELD, source_digest=digest("moved")), Policy(), ScanSource()),
        (PATCHED, replace(HELD, has_approved=False), Policy(), ScanSource()),
        (PATCHED, HELD, BOTH, ScanSource()),  # nodes of another platform: never verified there
        (PENDING, HELD, Policy(), ScanSource()),  # the approval was found wanting
        (PENDING, replace(HELD, scanner=NEWER_TRIVY), Policy(), ScanSource()),
        (FAILED_AFTER_PENDING, replace(HELD, scanner=NEWER_TRIVY), Policy(), ScanSource()),
        (PATCHED, HELD, Policy(platforms=("linux/s390x",)), ScanSource()),
    ],
)
def test_what_is_done_first(
    record: Record | None, facts: Facts, policy: Policy, expected: Refresh | RescanApproved | ScanSource
) -> None:
    assert plan_first(record, facts, policy, NOW) == expected


def test_fewer_platforms_are_scanned_again_so_that_the_others_are_no_longer_approved() -> None:
    wide = record_patched(None, attempt(SOURCE, policy=BOTH), approval("20260509", platforms=(AMD64, ARM64)), "", NOW)
    assert plan_first(wide, HELD, BOTH, NOW) == Refresh()
    assert plan_first(wide, HELD, Policy(platforms=(ARM64,)), NOW) == RescanApproved((ARM64,))


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (replace(HELD, source_digest=None), "is not in its registry"),
        (replace(HELD, scanner=Scanner("trivy", "0.69.3", None)), "does not say how old"),
        (replace(HELD, scanner=Scanner("trivy", "0.69.3", NOW - hours(25))), "25 h old, at most 24 h counts"),
        # a record that named it would be a bad one for the gate, and for the next run
        (replace(HELD, scanner=Scanner("trivy", "0.69.3", NOW + hours(1))), "dated 1 h ahead of the clock here"),
    ],
)
@pytest.mark.parametrize("record", [None, PATCHED, CLEAN])
def test_nothing_is_refreshed_without_a_source_or_on_an_old_database(
    record: Record | None, facts: Facts, message: str
) -> None:
    answer = plan_first(record, facts, Policy(), NOW)
    assert isinstance(answer, Fail)
    assert message in answer.message


def test_a_database_of_just_the_limit_counts() -> None:
    facts = replace(HELD, scanner=Scanner("trivy", "0.69.3", NOW - hours(24)))
    assert isinstance(plan_first(PATCHED, facts, Policy(), NOW), RescanApproved)


def test_a_line_of_the_articles_script_is_scanned_anew() -> None:
    line = f"registry.example.com/myapp/api@{digest('old')}  # patched from {IMAGE} on 20260509"
    repository = snapshot(image_list(IMAGE), records(digests=[line])).repositories["registry.example.com/myapp/api"]
    known = repository.find_record("1.4.2")
    assert known is not None
    assert known.approved is not None
    assert plan_first(known, HELD, Policy(), NOW) == ScanSource()


@pytest.mark.parametrize(
    ("wanted", "offered", "selected"),
    [
        ((AMD64,), (AMD64, ARM64), (AMD64,)),
        ((ARM64, AMD64), (AMD64, ARM64), (ARM64, AMD64)),
        (("linux/arm64/v8",), (ARM64,), (ARM64,)),
        ((ARM64, "linux/arm64/v8"), (ARM64,), (ARM64,)),
        (("linux/arm/v7",), ("linux/arm/v6",), ()),
        ((AMD64,), (), ()),
    ],
)
def test_only_the_policys_platforms_are_looked_at(
    wanted: tuple[str, ...], offered: tuple[str, ...], selected: tuple[str, ...]
) -> None:
    assert select_platforms(wanted, offered) == selected


def test_the_platforms_that_nobody_asked_for_are_named() -> None:
    assert list_left_out((AMD64,), {AMD64, ARM64, "linux/s390x"}) == [ARM64, "linux/s390x"]


@pytest.mark.parametrize(
    ("record", "scanned", "expected"),
    [
        (PATCHED, report(), Refresh),
        (PATCHED, report(finding("HIGH")), Refresh),  # below the threshold
        (PATCHED, report(finding()), ScanSource),
        (CLEAN, report(finding()), ScanSource),
        (PATCHED, report(is_end_of_life=True), Refresh),  # its source is worse
        (CLEAN, report(is_end_of_life=True), Unpatchable),
        (PATCHED, report(os=""), ScanSource),  # nobody could scan it: that is no verification
        (CLEAN, report(os=""), Unpatchable),
    ],
)
def test_what_a_scan_of_the_approved_image_means(record: Record, scanned: Report, expected: type) -> None:
    assert isinstance(judge_approved(record, [scanned], Policy()), expected)


def can_patch(scanned: Report) -> bool:
    return scanned.os_family in {"debian", "alpine"}


LOW, BAD = report(finding("LOW")), report(finding())
ARM_LOW = report(finding("LOW"), platform=ARM64)


@pytest.mark.parametrize(
    ("reports", "policy", "expected"),
    [
        ([report()], Policy(), Clean()),
        ([LOW], Policy(), Clean()),
        ([BAD], Policy(), Patch((BAD,))),
        ([LOW], Policy(severity_threshold=Severity.LOW), Patch((LOW,))),
        ([LOW], Policy(severity_threshold=Severity.UNKNOWN), Patch((LOW,))),
        ([BAD, ARM_LOW], BOTH, Patch((BAD, ARM_LOW))),  # everything fixable is patched
        ([BAD, report(platform=ARM64)], BOTH, Patch((BAD,))),  # Copa is never called without findings
        ([report(os="photon 5.1")], Policy(), Clean()),
        (
            [report(finding(), os="photon 5.1")],
            Policy(),
            Unpatchable("photon 5.1 is none that Copa can patch; 1 CRITICAL (libssl3 CVE-2026-1)"),
        ),
        ([report(os="")], Policy(), Unpatchable("has no OS packages (linux/amd64)")),
        (
            [report(is_end_of_life=True)],
            Policy(),
            Unpatchable("debian 12.5 is past its end of life: nobody publishes fixes for it"),
        ),
        ([], Policy(platforms=()), Fail("has none of the platforms that the policy names ()")),
        ([BAD], BOTH, Fail("has no report of linux/arm64")),
    ],
)
def test_what_a_scan_of_the_source_means(
    reports: list[Report], policy: Policy, expected: Clean | Patch | Unpatchable | Fail
) -> None:
    assert judge_source(reports, policy.platforms, policy, can_patch) == expected


CANDIDATE = manifest("candidate")


@pytest.mark.parametrize(
    ("candidate", "reports", "policy", "expected"),
    [
        (CANDIDATE, [report()], Policy(), Approve({AMD64: digest("candidate linux/amd64")})),
        (CANDIDATE, [report(finding("HIGH"))], Policy(), Approve({AMD64: digest("candidate linux/amd64")})),
        (
            CANDIDATE,
            [report(), report(platform=ARM64)],
            BOTH,
            Approve({AMD64: digest("candidate linux/amd64"), ARM64: digest("candidate linux/arm64")}),
        ),
        (
            CANDIDATE,
            [report(finding(), finding(package="zlib1g"), finding("LOW"))],
            Policy(),
            Pending(
                "the patched image still has 2 CRITICAL (libssl3 CVE-2026-1, zlib1g CVE-2026-1);"
                " the next run tries again"
            ),
        ),
        (
            CANDIDATE,
            [report(), report(finding(), platform=ARM64)],
            BOTH,
            Pending("the patched image still has 1 CRITICAL (libssl3 CVE-2026-1); the next run tries again"),
        ),
        (CANDIDATE, [report()], BOTH, Pending("the patched image was not scanned: linux/arm64")),
        (CANDIDATE, [report(os="")], Policy(), Pending("the patched image has no OS packages (linux/amd64)")),
        (manifest("candidate", AMD64), [report()], Policy(), Pending("the patched image lacks linux/arm64")),
        (
            manifest("candidate", AMD64, ARM64, "linux/s390x"),
            [report()],
            Policy(),
            Pending("the patched image has linux/s390x beside what its source has"),
        ),
        (SOURCE, [report()], Policy(), Pending("the patched image is its source: nothing was changed")),
        (
            CANDIDATE,
            [],
            Policy(platforms=()),
            Pending("the patched image was not scanned: none of its platforms is asked for"),
        ),
    ],
)
def test_what_the_verification_of_a_candidate_means(
    candidate: object, reports: list[Report], policy: Policy, expected: Approve | Pending
) -> None:
    assert isinstance(candidate, type(SOURCE))
    assert judge_candidate(SOURCE, candidate, reports, policy.platforms, policy) == expected


def test_a_message_names_three_findings_and_counts_all() -> None:
    many = report(*(finding(identifier=f"CVE-2026-{number}") for number in range(5)))
    answer = judge_candidate(SOURCE, CANDIDATE, [many], (AMD64,), Policy())
    assert isinstance(answer, Pending)
    assert "5 CRITICAL (libssl3 CVE-2026-0, libssl3 CVE-2026-1, libssl3 CVE-2026-2, …)" in answer.message
