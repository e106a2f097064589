"""Looks at certificate and key all the time, and puts a changed pair in force when it is whole."""

import asyncio
from typing import Never

from structlog.typing import FilteringBoundLogger

from patchgate.errors import CertificateError
from patchgate.limits import CERTIFICATE_POLL_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.server.tls import RotatingPair


async def keep_pair_current(pair: RotatingPair, metrics: GateMetrics, log: FilteringBoundLogger) -> Never:
    """Reload the pair when its files change; a pair that does not serve is refused, and said once. Never ends."""
    while True:
        await asyncio.sleep(CERTIFICATE_POLL_SECONDS)
        try:
            if await asyncio.to_thread(pair.reload):
                metrics.certificate_loads.labels("loaded").inc()
                log.info("certificate loaded", serial=pair.current.serial, expires=pair.current.expires.isoformat())
        except CertificateError as error:
            metrics.certificate_loads.labels("refused").inc()
            log.warning("certificate refused; the one before goes on", why=str(error))
