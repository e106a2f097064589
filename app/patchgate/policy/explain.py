"""Explains a verdict: the decision table row by row, each with why it did not answer, up to the one that did.

For people who ask, not for the doors: it evaluates what `decide` has decided again, and gives the same verdict. A row
and its reason for silence stand in the same place of `ROWS` and `_SILENCES`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from patchgate.policy.case import Asker, Case, open_case
from patchgate.policy.decision import decide_case
from patchgate.policy.origin import Origin, find_origins
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Verdict, say_time, show
from patchgate.policy.workload import Image

QUESTIONS: Final = (
    "does not parse",
    "covered by an unexpired exception",
    "names no registry, and must name one",
    "its repository is not tracked",
    "digest of a fresh approval",
    "no digest, and one is required",
    "tag or digest of an approval that is not fresh",
    "tag of a fresh approval",
    "listed tag or source, and its record has an approval",
    "listed tag or source that cannot be patched",
    "listed tag or source, within the SLA",
    "listed tag or source, the SLA is over",
    "listed tag without a record, or a digest to come",
    "anything else of a tracked repository",
)
"""What each row looks for, in the table's order."""


class Answer(StrEnum):
    """What became of a row."""

    SILENT = "no"
    DECIDED = "yes"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One row of the table, asked about one image.

    Attributes:
        number: from 1, as in docs/decision.md.
        question: what it looks for.
        answer: whether it decided.
        why: for people: why it did not, or what it decided; empty where it was not asked.
    """

    number: int
    question: str
    answer: Answer
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict, and how it came about.

    Attributes:
        verdict: what `decide` decides.
        reference: the image under its canonical name; None where it does not parse.
        rows: all of the table, in its order.
        origins: what counted, and where it stands.
    """

    verdict: Verdict
    reference: str | None
    rows: tuple[RowAnswer, ...]
    origins: tuple[Origin, ...]

    @property
    def decided_by(self) -> int:
        """The number of the row that answered."""
        return next(row.number for row in self.rows if row.answer is Answer.DECIDED)


def explain(image: Image, snapshot: Snapshot, asker: Asker, now: datetime) -> Explanation:
    """Decide one image as `decide` does, and say how. now: aware UTC. Never raises."""
    case = open_case(image, snapshot, asker, now)
    verdict, number = decide_case(case)
    reference = str(case.reference) if case.reference else None
    return Explanation(
        verdict, reference, tuple(_list_answers(case, verdict, number)), tuple(find_origins(case, verdict))
    )


def _list_answers(case: Case, verdict: Verdict, decided_by: int) -> Iterator[RowAnswer]:
    for number, question in enumerate(QUESTIONS, 1):
        if number < decided_by:
            yield RowAnswer(number, question, Answer.SILENT, _SILENCES[number - 1](case))
        elif number == decided_by:
            yield RowAnswer(number, question, Answer.DECIDED, verdict.text)
        else:
            yield RowAnswer(number, question, Answer.NOT_ASKED, "")


def _say_reference(case: Case) -> str:
    return f"it is {case.reference}"


def _say_no_exception(case: Case) -> str:
    found = list(case.snapshot.exceptions.find(case.reference)) if case.reference else []
    if not found:
        return "no exception names its repository"
    exception = found[0]
    others = f"; nor do {len(found) - 1} others hold" if len(found) > 1 else ""
    fault = "is for other tags or digests"
    if exception.expires <= case.now:
        fault = f"expired at {say_time(exception.expires)}"
    elif not exception.holds_in(case.asker.namespace):
        fault = "is for other namespaces"
    return f"that of {show(str(exception.pattern))} {fault}{others}"


def _say_qualified(case: Case) -> str:
    if not case.is_unqualified:
        return "its name has a registry"
    return f"its name has no registry, and the policy says unqualified: {case.policy.unqualified}"


def _say_tracked(case: Case) -> str:
    return f"{case.repository.name if case.repository else ''} is tracked"


def _say_no_fresh_digest(case: Case) -> str:
    if not case.has_digest:
        return "it is named by tag"
    return "its approval is not fresh" if case.approval else "no approval is of this digest"


def _say_no_digest_required(case: Case) -> str:
    return "it carries a digest" if case.has_digest else "the policy and its line want none"


def _say_not_stale(case: Case) -> str:
    if case.approval and case.fresh_until:
        return f"its approval is fresh until {say_time(case.fresh_until)}"
    return _say_no_approval(case)


def _say_no_approval(case: Case) -> str:
    return f"no approval is of this {'digest' if case.has_digest else 'tag'}"


def _say_no_approval_in_record(case: Case) -> str:
    return "its record has no approval" if case.record else _say_no_record(case)


def _say_patchable(case: Case) -> str:
    return f"its record says {case.record.state}" if case.record else _say_no_record(case)


def _say_sla_over(case: Case) -> str:
    if case.clock is None:
        return _say_no_record(case)
    return f"the SLA was over at {say_time(case.clock.since + case.policy.patch_sla)}"


def _say_no_record(case: Case) -> str:
    if case.line and case.line_fault:
        return f"the line that lists it lists nothing: {show(case.line_fault.message)}"
    if case.line:
        return "there is no record of it yet"
    return "it is no source of any record" if case.has_digest else "no list line lists this tag"


def _say_not_to_come(case: Case) -> str:
    return "every line of its repository has a record" if case.has_digest else _say_no_record(case)


_SILENCES: Final[tuple[Callable[[Case], str], ...]] = (
    _say_reference,  # 1
    _say_no_exception,  # 2
    _say_qualified,  # 3
    _say_tracked,  # 4
    _say_no_fresh_digest,  # 5
    _say_no_digest_required,  # 6
    _say_not_stale,  # 7
    _say_no_approval,  # 8
    _say_no_approval_in_record,  # 9
    _say_patchable,  # 10
    _say_sla_over,  # 11
    _say_no_record,  # 12: with a record, either this row or the one above answers
    _say_not_to_come,  # 13: and the last row always answers
)
