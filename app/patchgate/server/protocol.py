"""HTTP/1.1 for the gate: uvicorn's protocol on httptools, with the limits on slow and many clients that it lacks."""

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final

from httptools import HttpParserError
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from patchgate.errors import RequestError
from patchgate.limits import (
    BODY_SECONDS,
    CONNECTIONS,
    HEAD_BYTES,
    HEAD_SECONDS,
    REQUEST_BYTES,
    TIMEOUT_SHARE,
    WRITE_SECONDS,
)
from patchgate.server.refusal import refuse, write_refusal

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_TIMEOUT: Final = re.compile(rb"[?&]timeout=([1-9][0-9]{0,3})s(?:&|$)")  # none is no deadline


class GateProtocol(HttpToolsProtocol):
    """A connection that is closed where its head or body takes too long, and told 503 where there are too many.

    Time is kept only of a request that does not come whole in one piece.
    """

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _is_one_too_many = False
    _is_in_head = True
    _awaited = 1  # a number for each head and body that is awaited; 0 between requests
    _timed = 0  # the one that the deadline is for
    _last = 1
    _size = 0  # bytes that came since the request began

    @property
    def is_under_way(self) -> bool:
        """Whether a request whose head has come is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        return is_answering or (self._awaited != 0 and not self._is_in_head)

    @property
    def _is_free(self) -> bool:
        """Whether nothing is before a review that comes now: no answer of the application, nor one unread."""
        cycle: RequestResponseCycle | None = self.cycle
        is_idle = cycle is None or cycle.response_complete
        return is_idle and not (self.flow.write_paused or self._is_one_too_many)

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
        self._end_stall()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        self._size += len(data)
        super().data_received(data)
        if self._size > HEAD_BYTES and (self._is_in_head or self._size > REQUEST_BYTES) and self._awaited:
            self.transport.abort()  # the parser itself would take a head or trailers of any size
        elif not (self._awaited or self.timeout_keep_alive_task or self.is_under_way):
            self._rest()  # uvicorn ends the rest at every byte, also of an empty line or of a body refused already
        self._keep_time()

    def pause_writing(self) -> None:
        """Wait for a caller that does not read, for a while."""
        super().pause_writing()
        self._stalled = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on writing."""
        self._end_stall()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """Take the first byte of a request: its head must come in time."""
        super().on_message_begin()
        self._size = 0
        self._await_next(is_in_head=True)

    def on_headers_complete(self) -> None:
        """Take the end of a head: its body must come in time."""
        self._refuse_upgrade()
        super().on_headers_complete()
        self._await_next(is_in_head=False)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        super().on_message_complete()
        self._await_nothing()

    def on_response_complete(self) -> None:
        """Begin the next request; read on once none waits: uvicorn reads at every answer, and what waits would grow."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def _refuse_upgrade(self) -> None:
        """Refuse to speak anything else: the parser would take the body for the next request."""
        if self.parser.should_upgrade():
            raise HttpParserError("no other protocol is spoken here")

    def _rest(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _end_stall(self) -> None:
        if self._stalled:
            self._stalled.cancel()
            self._stalled = None

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

    @property
    def _is_answered(self) -> bool:
        """Whether the request whose body is awaited has its answer already: it was refused by its head."""
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_started

    def _give_up(self) -> None:
        if self._is_in_head or self._is_answered:
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
