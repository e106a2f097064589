"""Tells a run's progress in the log: one line a step, one an image."""

from structlog.typing import FilteringBoundLogger

from patchgate.patcher.progress import Outcome, Result, Step


class StepLog:
    """Progress as log lines; structlog writes each whole, whatever thread it comes from."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def begin_step(self, key: str, step: Step, detail: str) -> None:
        """Log that a step of an image begins."""
        self._log.info("step", image=key, step=step.value, detail=detail)

    def end_image(self, outcome: Outcome) -> None:
        """Log what became of an image; a failure as a warning."""
        say = self._log.warning if outcome.result in {Result.FAILED, Result.LEFT} else self._log.info
        say(
            "image",
            image=outcome.key,
            result=outcome.result.value,
            message=outcome.message,
            fixable_before=dict(outcome.fixable_before),
            fixable_after=dict(outcome.fixable_after),
            seconds=round(outcome.seconds, 1),
        )
