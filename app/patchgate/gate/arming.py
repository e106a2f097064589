"""Arms the gate: has kube-apiserver ask it, once it has been ready for long enough that its Service leads to it.

It never disarms: what is in force stays so, whatever becomes of this process. The Kubernetes client is imported where
there is something to arm.
"""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Never, Protocol

from structlog.typing import FilteringBoundLogger

from patchgate.cluster.access import Access
from patchgate.errors import RefusedWebhooksError, SourceError
from patchgate.gate.settings import Arming
from patchgate.limits import ARM_AFTER_SECONDS, ARM_POLL_SECONDS, EVENT_REPEAT_SECONDS, EVENT_RETRY_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.policy.part import Problem

UPGRADE_SECONDS: Final = 180
"""How long a refusal must last before an Event tells of it: an upgrade shows new webhooks to the gates of before."""


class Webhooks(Protocol):
    """The webhooks that should be in force."""

    def look(self) -> list[str] | None:
        """Put right what is not as it should be; give the names of what was written, None where there was no way.

        Raises:
            RefusedWebhooksError: what is wanted must not be applied.
            SourceError: something cannot be read or written.
        """
        ...

    def announce(self, refusal: RefusedWebhooksError, now: datetime) -> None:
        """Tell people of a refusal where they look for it. Blocks. now: aware UTC.

        Raises:
            SourceError: it could not be told.
        """
        ...


@dataclass(slots=True)
class Armer:
    """Looks at the webhooks again and again while the gate is ready.

    Attributes:
        webhooks: looked at.
        is_ready: tells whether reviews would be answered now.
        clock: gives now, aware UTC.
        metrics: told whether the webhooks are in force.
        log: told what was done, and what hinders it.
        after_seconds: how long it must have been ready.
        poll_seconds: the pause between two looks.
    """

    webhooks: Webhooks
    is_ready: Callable[[], bool]
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    after_seconds: float = ARM_AFTER_SECONDS
    poll_seconds: float = ARM_POLL_SECONDS
    _ready_since: float | None = None
    _said: str = ""
    _refusal: RefusedWebhooksError | None = None
    _refused_since: datetime | None = None
    _announced: tuple[str, datetime] | None = None

    def list_problems(self) -> tuple[Problem, ...]:
        """List what is wrong with the ConfigMap of webhooks, for `/readyz?verbose` and the status page."""
        return (Problem(self._refusal.configmap, "", f"not applied: {self._refusal}"),) if self._refusal else ()

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
        except RefusedWebhooksError as refusal:
            await self._note_refusal(refusal)
            return
        except SourceError as error:
            self.metrics.errors.labels("webhooks").inc()
            self._say(str(error))
            return
        except Exception:
            self.metrics.errors.labels("webhooks").inc()
            self.log.exception("a defect of patchgate", where="webhooks")
            return
        self._refusal = self._refused_since = None
        self.metrics.webhooks_refused.set(0)
        self.metrics.armed.set(written is not None)
        self._say("there is no such configuration" if written is None else "")
        if written:
            self.log.info("armed: kube-apiserver asks by these webhooks", webhooks=written)

    async def _note_refusal(self, refusal: RefusedWebhooksError) -> None:
        """Report a ConfigMap that must not be applied: metric, log, `/readyz?verbose`, and now and then an Event."""
        self._refusal = refusal
        self.metrics.webhooks_refused.set(1)
        self._say(str(refusal))
        now = self.clock()
        self._refused_since = self._refused_since or now
        if not self._is_due(str(refusal), now):
            return
        self._announced = str(refusal), now
        try:
            await asyncio.to_thread(self.webhooks.announce, refusal, now)
        except SourceError as error:
            self.metrics.errors.labels("event").inc()
            self.log.warning("no Event could be written; all else goes on", why=str(error))

    def _is_due(self, message: str, now: datetime) -> bool:
        """Tell whether an Event is due: not during an upgrade, then one a minute at most, the same after an hour."""
        if self._refused_since and abs(now - self._refused_since) < timedelta(seconds=UPGRADE_SECONDS):
            return False
        if self._announced is None:
            return True
        last, at = self._announced
        pause_seconds = EVENT_REPEAT_SECONDS if message == last else EVENT_RETRY_SECONDS
        return abs(now - at) >= timedelta(seconds=pause_seconds)

    def _say(self, why: str) -> None:
        """Say what hinders, once."""
        if why and why != self._said:
            self.log.warning("the webhooks cannot be put in force; those that are stay so", why=why)
        self._said = why


def open_webhooks(arming: Arming, service: str, namespace: str, access: Access) -> Webhooks:
    """Open the webhooks of a cluster; nothing is asked yet. service, namespace: the gate's own Service.

    Raises:
        SourceError: no cluster to ask.
    """
    from patchgate.cluster.client import make_client
    from patchgate.webhooks.bounds import Bounds
    from patchgate.webhooks.configuration import WebhookKeeper

    bounds = Bounds(service, namespace, arming.sha256)
    return WebhookKeeper(make_client(access), namespace, arming.configmap, arming.secret, arming.configuration, bounds)
