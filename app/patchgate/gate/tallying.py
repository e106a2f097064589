"""Counts the images of each new snapshot for the metrics, in a thread; what time changes is read from the count."""

import asyncio
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Never

from structlog.typing import FilteringBoundLogger

from patchgate.gate.standing import Standing
from patchgate.limits import TALLY_SECONDS, TALLY_SHARE
from patchgate.metrics import GateMetrics
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.tally import Tally


@dataclass(slots=True)
class Tallier:
    """Keeps a standing's tally in step with its snapshot.

    Attributes:
        standing: read and kept.
        clock: gives now, aware UTC.
        metrics: counts what could not be counted.
        log: told of it.
    """

    standing: Standing
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    _counted: weakref.ref[Snapshot] | None = None

    async def run(self) -> Never:
        """Count, for ever: soon after a change, but never for more than a small part of the time."""
        while True:
            began = time.monotonic()
            await self.look()
            await asyncio.sleep(max(TALLY_SECONDS, TALLY_SHARE * (time.monotonic() - began)))

    async def look(self) -> None:
        """Count the images if the snapshot is another one."""
        snapshot = self.standing.snapshot
        if snapshot is None or (self._counted is not None and self._counted() is snapshot):
            return
        self._counted = weakref.ref(snapshot)
        try:
            self.standing.tally = await asyncio.to_thread(Tally.count, snapshot, self.clock())
        except Exception:
            self.metrics.errors.labels("tally").inc()
            self.log.exception("a defect of patchgate", where="tally")
