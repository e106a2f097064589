"""Origins: the ConfigMap and the place in it that a verdict rests on, for whoever has to change it. Decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from patchgate.policy.case import Case
from patchgate.policy.part import ExceptionsPart, ImageListPart, ListLine, RecordsPart
from patchgate.policy.policy import DigestRequirement
from patchgate.policy.record import Record
from patchgate.policy.repository import Repository
from patchgate.policy.verdict import Reason, Verdict, show


class Kind(StrEnum):
    """What an origin holds."""

    LINE = "list line"
    TRACKING = "tracks the repository"
    RECORD = "record"
    EXCEPTION = "exception"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something that counted stands.

    Attributes:
        kind: what it is.
        configmap: the ConfigMap that holds it.
        place: line, record or entry in it; empty for the whole.
    """

    kind: Kind
    configmap: str
    place: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.configmap, self.place)))


_DECIDED_BY: Final = {
    Reason.UNQUALIFIED: "unqualified",
    Reason.DIGEST_REQUIRED: "require_digest",
    Reason.STALE: "stale",
    Reason.UNPATCHABLE: "unpatchable",
    Reason.UNSCANNED: "unscanned",
    Reason.UNLISTED: "unlisted",
}
"""The setting of the policy, by its name in both places, that makes a row deny, warn or allow."""


def find_origins(case: Case, verdict: Verdict) -> Iterator[Origin]:
    """Find what is known of the image, each with the place where it stands, and the setting that decided."""
    if verdict.reason is Reason.EXCEPTED:
        yield from _find_exception(case)
    line, record = _find_line(case), _find_record(case)
    if line:
        yield Origin(Kind.LINE, line.configmap, f"line {line.number}")
    if record:
        yield from _find_record_origin(case, record, Kind.RECORD)
    if case.repository and line is None:
        yield from _find_tracking(case, case.repository)
    setting = _DECIDED_BY.get(verdict.reason)
    if setting and not _is_pinned_by_line(case, verdict):
        yield from _find_setting(case, setting)


def _is_pinned_by_line(case: Case, verdict: Verdict) -> bool:
    """Tell whether its list line wants a digest, and the policy none."""
    return verdict.reason is Reason.DIGEST_REQUIRED and case.policy.require_digest is DigestRequirement.NO


def _find_line(case: Case) -> ListLine | None:
    """Find the line of the tag, or of the tag whose source the digest is."""
    if case.line or case.record is None or case.repository is None:
        return case.line
    return case.repository.find_line(case.record.tag)


def _find_record(case: Case) -> Record | None:
    if case.record or case.approval is None or case.repository is None:
        return case.record
    return case.repository.find_owner(case.approval)


def _find_record_origin(case: Case, record: Record, kind: Kind) -> Iterator[Origin]:
    for part in case.snapshot.canonical_parts.values():
        if isinstance(part, RecordsPart):
            if part.records.get(record.key) is record:
                yield Origin(kind, part.name, record.key)
            elif part.approvals.get(record.key) is record:
                yield Origin(kind, part.name, f"digests.txt, lines of {record.key}")


def _find_tracking(case: Case, repository: Repository) -> Iterator[Origin]:
    """Find the first list that names the repository: by a line, by one that does not parse, or as a push target.

    Where none does, a record approves an image in it: the image's own, which is told of anyway, or another one.
    """
    parts = case.snapshot.canonical_parts.values()
    lists = (part for part in parts if isinstance(part, ImageListPart) and repository.name in part.lines)
    if part := next(lists, None):
        lines = part.lines[repository.name]
        place = f"line {lines[0].number}" if lines else "push_to, or a line of it that does not parse"
        yield Origin(Kind.TRACKING, part.name, place)
        return
    if _find_record(case):
        return
    records = repository.records.values()
    approving = (each for each in records if any(approval.repository == repository.name for approval in each.approvals))
    for record in islice(approving, 1):
        yield from _find_record_origin(case, record, Kind.TRACKING)


def _find_exception(case: Case) -> Iterator[Origin]:
    found = case.find_exception()
    for part in case.snapshot.canonical_parts.values():
        if isinstance(part, ExceptionsPart) and found and any(each is found for each in part.exceptions):
            yield Origin(Kind.EXCEPTION, part.name, f"the entry of {show(str(found.pattern))}")


def _find_setting(case: Case, setting: str) -> Iterator[Origin]:
    for part in case.snapshot.parts.values():
        if isinstance(part, ImageListPart) and part.policy:
            yield Origin(Kind.POLICY, part.name, f"{setting}: {getattr(case.policy, setting)}")
