"""Keeps the served certificate current: from files that change, or from a Secret; and says what is wrong with it."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Never, Protocol

from structlog.typing import FilteringBoundLogger

from patchgate.errors import CertificateError, SourceError
from patchgate.gate.secret import load_leaf
from patchgate.limits import CERTIFICATE_POLL_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.pki.contents import Leaf
from patchgate.pki.issue import issue_ca, issue_server_leaf
from patchgate.server.tls import Pair, RotatingPair, ServedPair, make_pair

STAND_IN_EXPIRES: Final = datetime.fromtimestamp(0, UTC)
"""What marks a pair that is none: served until there is one."""


class LookedAt(Protocol):
    """A Secret that is looked at again and again, as `pki.cluster` does."""

    served: Leaf | None

    def look(self) -> "LookDone":
        """Look once. Blocks.

        Raises:
            SourceError: it cannot be read.
        """
        ...

    def find_obstacle(self) -> str:
        """Say why callers cannot rest on what is served; empty where they can."""
        ...


class LookDone(Protocol):
    """What came of a look."""

    @property
    def done(self) -> tuple[str, ...]:
        """What was written."""
        ...

    @property
    def refused(self) -> str:
        """Why what the Secret holds is not served."""
        ...

    @property
    def failure(self) -> str:
        """Why something could not be written."""
        ...


@dataclass(slots=True)
class CertificateKeeper:
    """Looks at where certificate and key come from, for ever.

    Attributes:
        pair: what is served.
        secret: where it comes from; None where `pair` itself knows its files.
        clock: gives now, aware UTC.
        metrics: counts what was loaded and refused.
        log: told of it.
    """

    pair: ServedPair
    secret: LookedAt | None
    clock: Callable[[], datetime]
    metrics: GateMetrics
    log: FilteringBoundLogger
    _refused: str = ""
    _failure: str = ""
    _obstacle: str = ""
    _loaded: Leaf | None = None

    def find_obstacle(self) -> str:
        """Say why no caller can trust what is served; empty where one can."""
        if self.secret:
            return self.secret.find_obstacle() or ("" if self._loaded else "the certificate is not loaded yet")
        now, current = self.clock(), self.pair.current
        if now > current.expires:
            return f"the certificate expired on {current.expires:%Y-%m-%dT%H:%M:%SZ}: put a new pair in its place"
        if now < current.begins:
            return f"the certificate is not valid before {current.begins:%Y-%m-%dT%H:%M:%SZ}"
        return ""

    async def run(self) -> Never:
        """Look, for ever."""
        if self.secret is None:
            self.metrics.certificate_loaded_at.set(self.clock().timestamp())
        while True:
            try:
                await self._look()
            except Exception:
                self.metrics.errors.labels("certificate").inc()
                self.log.exception("a defect of patchgate", where="certificate")
            self._say_obstacle()
            await asyncio.sleep(CERTIFICATE_POLL_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 -- replicas differ

    async def _look(self) -> None:
        if self.secret:
            await self._look_at_secret(self.secret)
        elif isinstance(self.pair, RotatingPair):
            await self._look_at_files(self.pair)

    async def _look_at_files(self, pair: RotatingPair) -> None:
        try:
            if await asyncio.to_thread(pair.reload):
                self.metrics.certificate_loads.labels("loaded").inc()
                self._note_load()
        except CertificateError as error:
            self._refuse(str(error))

    async def _look_at_secret(self, secret: LookedAt) -> None:
        try:
            look = await asyncio.to_thread(secret.look)
        except SourceError as error:
            self._fail(str(error))
            return
        for step in look.done:
            self.log.info("certificates kept", step=step)
        self._fail(look.failure)
        if look.refused != self._refused:
            self._refused = look.refused
            if look.refused:
                self._refuse(look.refused)
        if secret.served and secret.served != self._loaded:  # serial numbers are no sign: by hand, many are 1
            self._serve(secret.served)

    def _serve(self, leaf: Leaf) -> None:
        self.pair.serve(load_leaf(leaf))
        self._loaded = leaf
        self.metrics.certificate_loads.labels("loaded").inc()
        self._note_load()

    def _note_load(self) -> None:
        self.metrics.certificate_loaded_at.set(self.clock().timestamp())
        current = self.pair.current
        self.log.info("certificate loaded", serial=current.serial, expires=current.expires.isoformat())

    def _refuse(self, why: str) -> None:
        self.metrics.certificate_loads.labels("refused").inc()
        self.log.warning("certificate refused; the one before goes on", why=why)

    def _fail(self, failure: str) -> None:
        """Note what could not be read or written; each is said once."""
        if failure:
            self.metrics.errors.labels("certificate").inc()
        if failure != self._failure:
            self._failure = failure
            if failure:
                self.log.warning("certificates cannot be kept current; what is served goes on", why=failure)
            else:
                self.log.info("certificates are kept current again")

    def _say_obstacle(self) -> None:
        obstacle = self.find_obstacle()
        if obstacle != self._obstacle:
            self._obstacle = obstacle
            if obstacle:
                self.log.warning("not ready: no caller can trust the certificate", why=obstacle)
            else:
                self.log.info("callers can trust the certificate")


def make_stand_in(now: datetime) -> Pair:
    """Make a pair that nobody trusts, served until there is one: probes do not look who answers."""
    leaf = issue_server_leaf(issue_ca("patchgate stand-in", now), ["stand-in.invalid"], now)
    pair = make_pair(leaf.certificate_pem, leaf.key_pem, "the stand-in")
    return replace(pair, expires=STAND_IN_EXPIRES)
