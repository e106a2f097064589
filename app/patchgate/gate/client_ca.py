"""Keeps the CAs of callers' certificates current, from a file that changes at any time, such as a mounted Secret."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from structlog.typing import FilteringBoundLogger

from patchgate.errors import CertificateError
from patchgate.limits import CERTIFICATE_POLL_SECONDS, PEM_BYTES
from patchgate.metrics import GateMetrics
from patchgate.pki.pem import read_trusted, write_certificates
from patchgate.server.tls import ServedPair


@dataclass(slots=True)
class ClientCaKeeper:
    """Reads the file again and again; one that cannot be read, or holds no CA, leaves those before in force.

    Attributes:
        file: certificates, PEM.
        pair: what verifies callers by them.
        note_untrusted: told of each handshake that failed as they do not verify a caller's certificate.
        metrics: counts what was refused.
        log: told of it.
    """

    file: Path
    pair: ServedPair
    note_untrusted: Callable[[], None]
    metrics: GateMetrics
    log: FilteringBoundLogger
    _loaded: str = ""
    _refused: str = ""

    def load(self) -> bool:
        """Load the file where it has changed; tell whether it had. Blocks for a moment.

        Raises:
            CertificateError: it cannot be read, or holds no certificate.
        """
        authorities = read_client_ca(self.file)
        if authorities == self._loaded:
            return False
        self.pair.ask_clients(authorities, self.note_untrusted)
        self._loaded = authorities
        return True

    async def run(self) -> Never:
        """Look, forever."""
        while True:
            await asyncio.sleep(CERTIFICATE_POLL_SECONDS)
            self._look()

    def _look(self) -> None:
        try:
            if self.load():
                self.log.info("client_ca_loaded", file=str(self.file))
            self._refused = ""
        except CertificateError as error:
            if str(error) != self._refused:
                self._refused = str(error)
                self.metrics.errors.labels("certificate").inc()
                self.log.warning("client_ca_refused", why=str(error), hint="the CAs before stay in force")


def read_client_ca(file: Path) -> str:
    """Read the certificates of a file, PEM, without what else is in it. Blocks for a moment.

    Raises:
        CertificateError: it cannot be read, or holds no certificate.
    """
    try:
        with file.open("rb") as stream:
            authorities = read_trusted(stream.read(PEM_BYTES))
    except OSError as error:
        raise CertificateError(f"--client-ca {file}: {error.strerror}") from error
    if not authorities:
        raise CertificateError(f"--client-ca {file}: no certificate in PEM")
    return write_certificates(authorities).decode("ascii")
