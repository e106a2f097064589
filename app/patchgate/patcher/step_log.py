"""Tells a run's progress in the log: one line a step, one an image, one at the end."""

from structlog.typing import FilteringBoundLogger

from patchgate.patcher.progress import Outcome, Step
from patchgate.patcher.summary import FAILURES, Summary


class StepLog:
    """Progress as log lines; structlog writes each whole, whatever thread it comes from."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def begin_step(self, key: str, step: Step, detail: str) -> None:
        """Log that a step of an image begins."""
        self._log.info("step", image=key, step=step.value, detail=detail)

    def end_image(self, outcome: Outcome) -> None:
        """Log what became of an image; a failure as a warning."""
        say = self._log.warning if outcome.result in FAILURES else self._log.info
        say(
            "image",
            image=outcome.key,
            result=outcome.result.value,
            message=outcome.message,
            fixable_before=dict(outcome.fixable_before),
            fixable_after=dict(outcome.fixable_after),
            seconds=round(outcome.seconds, 1),
        )

    def warn(self, message: str) -> None:
        """Log what is odd and stops nothing."""
        self._log.warning("odd", message=message)

    def end_run(self, summary: Summary) -> None:
        """Log what the run came to, and what of the data does not count."""
        for problem in summary.problems:
            self._log.warning("does not count", configmap=problem.configmap, place=problem.place, reason=problem.reason)
        self._log.info(
            "ended",
            exit_code=summary.exit_code,
            images=len(summary.outcomes),
            results={result.value: count for result, count in summary.results.items() if count},
            seconds=round(summary.seconds, 1),
        )
