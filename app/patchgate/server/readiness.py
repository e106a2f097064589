"""The one definition of ready: for the probe, the metric, the status page, and the enabling of webhooks."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from patchgate.server.judge import Judge
from patchgate.server.life import Life

NOT_READ: Final = "the main image list has not been read"
DRAINING: Final = "draining"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a review that comes now would be answered with a verdict, by a caller that trusts the gate.

    Attributes:
        judge: has a snapshot or not.
        life: drains or not.
        find_obstacles: gives what else keeps callers from being answered, such as a certificate that has expired.
    """

    judge: Judge
    life: Life
    find_obstacles: Callable[[], Iterable[str]] = tuple

    def is_ready(self) -> bool:
        """Tell whether the gate is ready."""
        return not self.list_reasons()

    def list_reasons(self) -> list[str]:
        """List why the gate is not ready; empty if it is."""
        reasons = [] if self.judge.take_snapshot() else [NOT_READ]
        return [*reasons, *([DRAINING] if self.life.is_draining else []), *self.find_obstacles()]
