"""How much a patcher may write to kube-apiserver: a bucket of bytes that fills again, as client-go limits requests.

etcd keeps every version of a ConfigMap until kube-apiserver has it compacted, and stops all writes of a cluster that
reach its quota (limits.RECORD_BYTES_AT_ONCE). Not for several threads at once.
"""

import time
from collections.abc import Callable

from patchgate.limits import RECORD_BYTES_A_SECOND, RECORD_BYTES_AT_ONCE


class WriteBudget:
    """A token bucket of bytes. What is written may overdraw it; nothing is while it is overdrawn."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        bytes_at_once: int = RECORD_BYTES_AT_ONCE,
    ) -> None:
        """Begin with a full bucket.

        clock: seconds, never put back.
        sleep: may end early, where few writes are still to come.
        """
        self._clock = clock
        self._sleep = sleep
        self._most = self._bytes = float(bytes_at_once)
        self._filled = clock()

    def wait(self) -> None:
        """Wait until something may be written."""
        self._fill()
        if self._bytes < 0:
            self._sleep(-self._bytes / RECORD_BYTES_A_SECOND)

    def spend(self, size_bytes: int) -> None:
        """Spend what was written."""
        self._fill()
        self._bytes -= size_bytes

    def _fill(self) -> None:
        now = self._clock()
        self._bytes = min(self._most, self._bytes + (now - self._filled) * RECORD_BYTES_A_SECOND)
        self._filled = now
