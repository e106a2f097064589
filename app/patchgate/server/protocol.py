"""HTTP/1.1 for the gate: uvicorn's protocol on httptools, with the limits on slow and many clients that it lacks."""

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from patchgate.errors import RequestError
from patchgate.limits import BODY_SECONDS, CONNECTIONS, HEAD_SECONDS, TIMEOUT_SHARE
from patchgate.server.refusal import refuse, write_refusal

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_TIMEOUT: Final = re.compile(rb"[?&]timeout=([0-9]{1,4})s(?:&|$)")


class GateProtocol(HttpToolsProtocol):
    """A connection that is closed where its head or body takes too long, and told 503 where there are too many.

    Time is kept only of a request that does not come whole in one piece.
    """

    _deadline: asyncio.TimerHandle | None = None
    _is_one_too_many = False
    _is_in_head = True
    _awaited = 1  # a number for each head and body that is awaited; 0 between requests
    _timed = 0  # the one that the deadline is for
    _last = 1

    @property
    def is_under_way(self) -> bool:
        """Whether a request whose head has come is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        return is_answering or (self._awaited != 0 and not self._is_in_head)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin: the first head must come in time."""
        super().connection_made(transport)
        self._is_one_too_many = len(self.connections) > CONNECTIONS
        if self._is_one_too_many:
            self.app = _refuse_busy
        self._keep_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._await_nothing()
        self._keep_time()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        super().data_received(data)
        self._keep_time()

    def on_message_begin(self) -> None:
        """Take the first byte of a request: its head must come in time."""
        super().on_message_begin()
        self._await_next(is_in_head=True)

    def on_headers_complete(self) -> None:
        """Take the end of a head: its body must come in time."""
        super().on_headers_complete()
        self._await_next(is_in_head=False)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        super().on_message_complete()
        self._await_nothing()

    def _await_nothing(self) -> None:
        self._awaited = 0

    def _await_next(self, *, is_in_head: bool) -> None:
        self._last += 1
        self._awaited, self._is_in_head = self._last, is_in_head

    def _keep_time(self) -> None:
        """Begin to keep the time of what is awaited now, unless it is kept already."""
        if self._timed == self._awaited:
            return
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        self._timed = self._awaited
        if self._awaited:
            seconds = HEAD_SECONDS if self._is_in_head else _choose_body_seconds(self.url)
            self._deadline = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self._is_in_head:
            self.transport.abort()
            return
        self.transport.write(write_refusal(RequestError(408, "the body took longer than its caller would wait")))
        self.transport.close()


def _choose_body_seconds(url: bytes) -> float:
    """Choose how long a body may take: most of the time that kube-apiserver waits (`?timeout=3s`, the webhook's)."""
    match = _TIMEOUT.search(url)
    return min(BODY_SECONDS, int(match[1]) * TIMEOUT_SHARE) if match else BODY_SECONDS


async def _refuse_busy(scope: Scope, receive: Receive, send: Send) -> Any:  # noqa: ANN401 -- as ASGI has it
    response = refuse(RequestError(503, "too many connections"))
    response.headers["Connection"] = "close"
    await response(scope, receive, send)
