"""HTTP/1.1 for the gate: uvicorn's protocol on httptools, with the limits on slow and many clients that it lacks."""

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from patchgate.errors import RequestError
from patchgate.limits import BODY_SECONDS, CONNECTIONS, HEAD_SECONDS
from patchgate.server.refusal import refuse


class GateProtocol(HttpToolsProtocol):
    """A connection that is closed where its head or body takes too long, and told 503 where there are too many."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin: the first head must come in time."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            self.app = _refuse_busy
        self._expect_within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._expect_nothing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Take the first byte of a request: its head must come in time."""
        super().on_message_begin()
        self._expect_within(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """Take the end of a head: its body must come in time."""
        super().on_headers_complete()
        self._expect_within(BODY_SECONDS)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        super().on_message_complete()
        self._expect_nothing()

    def _expect_within(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._give_up)

    def _expect_nothing(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self.transport.abort()


async def _refuse_busy(scope: Scope, receive: Receive, send: Send) -> Any:  # noqa: ANN401 -- as ASGI has it
    response = refuse(RequestError(503, "too many connections"))
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
