"""Arms the gate: has kube-apiserver ask it, once it has been ready for long enough that its Service leads to it.

It never disarms: what is in force stays so, whatever becomes of this process. The Kubernetes client is imported where
there is something to arm.
"""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Never, Protocol

from structlog.typing import FilteringBoundLogger

from patchgate.errors import SourceError
from patchgate.gate.settings import Arming
from patchgate.limits import ARM_AFTER_SECONDS, ARM_POLL_SECONDS
from patchgate.metrics import GateMetrics


class Webhooks(Protocol):
    """The webhooks that should be in force."""

    def look(self) -> list[str] | None:
        """Put right what is not as it should be; give the names of what was written, None where there was no way.

        Raises:
            SourceError: something cannot be read or written.
        """
        ...


@dataclass(slots=True)
class Armer:
    """Looks at the webhooks again and again while the gate is ready.

    Attributes:
        webhooks: looked at.
        is_ready: tells whether reviews would be answered now.
        metrics: told whether the webhooks are in force.
        log: told what was done, and what hinders it.
        after_seconds: how long it must have been ready.
        poll_seconds: the pause between two looks.
    """

    webhooks: Webhooks
    is_ready: Callable[[], bool]
    metrics: GateMetrics
    log: FilteringBoundLogger
    after_seconds: float = ARM_AFTER_SECONDS
    poll_seconds: float = ARM_POLL_SECONDS
    _ready_since: float | None = None
    _said: str = ""

    async def run(self) -> Never:
        """Look, for ever."""
        while True:
            if self.is_settled(time.monotonic()):
                await self._look()
            await asyncio.sleep(self.poll_seconds)

    def is_settled(self, now_seconds: float) -> bool:
        """Tell whether it has been ready for long enough. now_seconds: monotonic."""
        if not self.is_ready():
            self._ready_since = None
            return False
        if self._ready_since is None:
            self._ready_since = now_seconds
        return now_seconds - self._ready_since >= self.after_seconds

    async def _look(self) -> None:
        try:
            written = await asyncio.to_thread(self.webhooks.look)
        except SourceError as error:
            self.metrics.errors.labels("webhooks").inc()
            self._say(str(error))
            return
        except Exception:
            self.metrics.errors.labels("webhooks").inc()
            self.log.exception("a defect of patchgate", where="webhooks")
            return
        self.metrics.armed.set(written is not None)
        self._say("there is no such configuration" if written is None else "")
        if written:
            self.log.info("armed: kube-apiserver asks by these webhooks", webhooks=written)

    def _say(self, why: str) -> None:
        """Say what hinders, once."""
        if why and why != self._said:
            self.log.warning("the webhooks cannot be put in force; those that are stay so", why=why)
        self._said = why


def open_webhooks(arming: Arming, namespace: str) -> Webhooks:
    """Open the webhooks of a cluster; nothing is asked yet.

    Raises:
        SourceError: no cluster to ask.
    """
    from patchgate.cluster.client import make_client
    from patchgate.webhooks.configuration import WebhookKeeper

    return WebhookKeeper(make_client(), namespace, arming.configmap, arming.secret, arming.configuration)
