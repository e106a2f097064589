"""Tells metrics and log what the doors did. Names of images go to the log alone, headers and bodies to neither."""

from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from patchgate.metrics import GateMetrics
from patchgate.policy.decision import Decision, Mode, list_shown
from patchgate.policy.verdict import show
from patchgate.server.review import Review


@dataclass(frozen=True, slots=True)
class Reporter:
    """Told of each answer.

    Attributes:
        metrics: counted in.
        log: written to: one line a denial or failure.
    """

    metrics: GateMetrics
    log: FilteringBoundLogger

    def tell_review(self, review: Review, mode: Mode, decision: Decision, seconds: float) -> None:
        """Count a review, and log it where the table denies."""
        question = review.question
        operation = question.operation if question else "unread"
        self.metrics.reviews.count(
            (mode, operation, _word(decision), decision.reason, decision.allowed, review.is_dry_run), seconds
        )
        if decision.denied:
            self.log.warning(
                "denied" if not decision.allowed else "would deny",
                mode=mode,
                uid=review.uid,
                operation=operation,
                namespace=show(question.namespace) if question and question.namespace else None,
                object=question.name if question else None,
                user=show(question.username) if question and question.username else None,
                reason=decision.reason,
                images=list_shown(decision.denied),
                dry_run=review.is_dry_run,
            )

    def tell_refusal(self, status: int) -> None:
        """Count a review that got no verdict: the gate is cold, or it was none."""
        self.metrics.refusals.labels(str(status)).inc()

    def tell_decision(self, decision: Decision) -> None:
        """Count an answer of /v1/decisions, or of a key of /v1/gatekeeper."""
        self.metrics.decisions.labels(_word(decision), decision.reason.value).inc()

    def tell_failure(self, error: Exception, where: str, uid: str | None = None) -> None:
        """Count and log a failure to decide: a defect of ours."""
        self.metrics.errors.labels(where).inc()
        self.log.error("a defect of patchgate", where=where, uid=uid, exc_info=error)


def _word(decision: Decision) -> str:
    if decision.denied:
        return "deny"
    return "warn" if [verdict for verdict in decision.verdicts if verdict.warns] else "allow"
