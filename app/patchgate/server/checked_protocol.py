"""A connection whose caller shows a client certificate, or is expected to (callers.py)."""

import asyncio
from typing import Any

from patchgate.server.callers import CallerCheck, Fault, describe_caller
from patchgate.server.protocol import GateProtocol


class CheckedProtocol(GateProtocol):
    """Has requests of a caller with a faulty certificate go the ASGI way, where the check refuses or counts them."""

    def __init__(self, *arguments: Any, callers: CallerCheck | None = None) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(*arguments)
        self._callers = callers
        self._fault: Fault | None = None  # of the caller's certificate

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin: check the caller's certificate."""
        connection = transport.get_extra_info("ssl_object")
        if self._callers and connection:
            self._fault = self._callers.find_fault(connection)
        super().connection_made(transport)
        if self._callers and self._fault:
            self.app = self._callers.guard(self.app, self._fault, describe_caller(self.client))
