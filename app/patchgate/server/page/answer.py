"""The answer to "may this image run?": the verdict, and the row of the table that gave it."""

from dataclasses import dataclass

from patchgate.policy.explain import Answer, Explanation
from patchgate.policy.verdict import Verdict, show
from patchgate.server.page.row import Approved, tell_approved


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One row of the decision table, in words."""

    number: int
    question: str
    why: str
    answers: bool
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where something that counted stands."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class AnswerView:
    """The answer.

    Attributes:
        image: as asked, fit to show.
        namespace: as asked; empty where nobody said.
        word: `may run`, `may run, with a warning` or `is refused`.
        tone: `approved`, `waiting` or `breached`, as the table's standings.
        reason: the code.
        message: why, and what to do.
        use: what to use instead; None where there is nothing.
        row: the number of the row that answered.
        rows: the whole table.
        places: what counted, and where it stands.
    """

    image: str
    namespace: str
    word: str
    tone: str
    reason: str
    message: str
    use: Approved | None
    row: int
    rows: tuple[AskedRow, ...]
    places: tuple[Place, ...]


def make_answer(verdict: Verdict, explanation: Explanation, namespace: str) -> AnswerView:
    """Put a verdict and its explanation, of the same question, in words."""
    word, tone = _say_verdict(verdict)
    return AnswerView(
        image=verdict.image,
        namespace=show(namespace),
        word=word,
        tone=tone,
        reason=verdict.reason,
        message=verdict.text,
        use=tell_approved(verdict.approval, verdict.image) if verdict.approval else None,
        row=explanation.decided_by,
        rows=tuple(
            AskedRow(
                row.number, row.question, row.why, row.answer is Answer.DECIDED, row.answer is not Answer.NOT_ASKED
            )
            for row in explanation.rows
        ),
        places=tuple(Place(origin.kind, show(str(origin))) for origin in explanation.origins),
    )


def _say_verdict(verdict: Verdict) -> tuple[str, str]:
    if not verdict.allowed:
        return "is refused", "breached"
    return ("may run, with a warning", "waiting") if verdict.warns else ("may run", "approved")
