"""A look at the gate's own port, as a caller has it: does it answer, and with the certificate that it should?"""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Final, Never

from cryptography import x509

from patchgate.gate.settings import Address
from patchgate.limits import OWN_PORT_FAILURES, OWN_PORT_SECONDS
from patchgate.metrics import GateMetrics
from patchgate.server.tls import ServedPair

_ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- told apart from an address, not listened on
_LOOPBACK: Final = "127.0.0.1"
"""Where one that listens everywhere is reached: `::1` is not there in a Pod whose IPv6 is off."""


@dataclass(slots=True)
class OwnPort:
    """Connects to the gate's own listener again and again. It does not ask who answers, but compares the serial number.

    Attributes:
        address: where the gate listens, with the port that it got.
        pair: what it should answer with.
        metrics: told whether it does.
    """

    address: Address
    pair: ServedPair
    metrics: GateMetrics
    _failures: int = OWN_PORT_FAILURES
    _why: str = "it has not been tried yet"
    _context: ssl.SSLContext = field(default_factory=lambda: _make_context())  # noqa: PLW0108 -- defined below

    def find_obstacle(self) -> str:
        """Say why the own port does not answer; empty where it does, or has just failed for the first times."""
        return f"the own port does not answer: {self._why}" if self._failures >= OWN_PORT_FAILURES else ""

    async def run(self) -> Never:
        """Look, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(OWN_PORT_SECONDS)

    async def look(self) -> None:
        """Connect once."""
        expected = self.pair.current.serial
        try:
            async with asyncio.timeout(OWN_PORT_SECONDS):
                serial = await self._shake_hands()
        except (OSError, TimeoutError) as error:
            self._note(f"no TLS: {str(error) or type(error).__name__}")
            return
        is_right = serial in {expected, self.pair.current.serial}  # it may have changed meanwhile
        self._note("" if is_right else f"it shows the certificate {serial}, not {expected}")

    async def _shake_hands(self) -> str:
        host = _LOOPBACK if self.address.host in _ANY else self.address.host
        _, writer = await asyncio.open_connection(host, self.address.port, ssl=self._context)
        try:
            connection: ssl.SSLObject = writer.get_extra_info("ssl_object")
            shown = connection.getpeercert(binary_form=True) or b""
            return f"{x509.load_der_x509_certificate(shown).serial_number:x}"
        finally:
            writer.transport.abort()

    def _note(self, why: str) -> None:
        self._why = why
        self._failures = self._failures + 1 if why else 0
        self.metrics.own_port_answers.set(not why)


def _make_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
