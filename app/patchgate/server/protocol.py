"""HTTP/1.1 for the gate: uvicorn's protocol on httptools, with limits on slow, large and many requests.

A connection takes its share of a budget (budget.py) and gives way when it is the largest holder: a request whose body
is being read is refused by the application, so that a review gets an answer by its uid; any other is closed.
"""

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from patchgate.limits import BODY_SECONDS, HEAD_BYTES, HEAD_SECONDS, REQUEST_BYTES, TIMEOUT_SHARE, WRITE_SECONDS
from patchgate.server.body import REFUSAL
from patchgate.server.budget import Budget, Share
from patchgate.server.lingering import LingeringTransport

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEADERS: Final = 100
"""Headers of a request; kube-apiserver's has about eight. Python takes 200 bytes for one, whatever it says."""
PIPELINED: Final = 16
"""Requests that may wait behind one that is being answered: Go's clients, kubelet and Kyverno send none."""
LINGER_SECONDS: Final = 2
"""How long the rest of a refused body is read and dropped: a reset would overtake the answer (RFC 9112, 9.6)."""
SMALL_READ_BYTES: Final = 16 * 1024
"""What may come at once without being held against a connection: its share of a few KiB is in CONNECTIONS."""
READ_BUFFERS: Final = 2.5
"""uvloop, OpenSSL and the kernel keep buffers as large as the most that came at once (measured: 2.4 times as much)."""
_TIMEOUT: Final = re.compile(rb"[?&]timeout=([1-9][0-9]{0,3})s(?:&|$)")  # 0 is no deadline
_GAVE_WAY: Final = (503, "patchgate was reading too much at once: try again")
_TOO_SLOW: Final = (408, "the body took longer than its caller would wait")


class GateProtocol(HttpToolsProtocol):
    """A connection that is closed when its head or body takes too long, and gives way to others.

    Time is kept only of a request that does not come whole in one piece.
    """

    _share: Share
    _end_handshake: Callable[[], object]
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _is_in_head = True
    _closes_after_body = False
    _awaited = 1  # a number for each head and body that is awaited; 0 between requests
    _timed = 0  # the one that the deadline is for
    _last = 1
    _size = 0  # bytes that came since the request began
    _largest_read = 0  # bytes
    _unread_bytes = 0  # of answers

    def enter(self, budget: Budget, address: str, end_handshake: Callable[[], object]) -> None:
        """Take a share of the budget, before the connection is made. address: of the peer."""
        self._end_handshake = end_handshake
        self._share = budget.open(address, self)

    def leave(self) -> None:
        """Give the share back."""
        self._share.close()

    @property
    def is_under_way(self) -> bool:
        """Whether a request whose head has come is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        return is_answering or (self._awaited != 0 and not self._is_in_head)

    def give_way(self) -> bool:
        """Free what it holds; tell whether it is closed, or else refuses first what is under way."""
        if self.transport is None:
            self._end_handshake()
        elif self._refuse(*_GAVE_WAY):
            return False
        else:
            self.transport.abort()
        return True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin: the first head must come in time."""
        super().connection_made(transport)
        self._keep_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._await_nothing()
        self._keep_time()
        self._end_stall()
        super().connection_lost(exc)
        self.leave()
        self._end_handshake = _do_nothing
        if not self.is_under_way:
            self.cycle = None  # type: ignore[assignment] # no cycle of references: what it took is freed at once

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        self._size += len(data)
        self._largest_read = max(self._largest_read, len(data))
        super().data_received(data)
        if self._awaited:
            self._close_if_too_large()
        elif not (self.timeout_keep_alive_task or self.is_under_way):
            self._rest()  # uvicorn ends the rest at every byte, also of an empty line or of a body refused already
        self._keep_time()
        self._hold()

    def pause_writing(self) -> None:
        """Wait for a caller that does not read, for a while."""
        super().pause_writing()
        self._stalled = self.loop.call_later(WRITE_SECONDS, self.transport.abort)
        self._unread_bytes = self.transport.get_write_buffer_size()
        self._hold()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._end_stall()
        super().resume_writing()
        self._unread_bytes = 0
        self._hold()

    def on_message_begin(self) -> None:
        """Take the first byte of a request: its head must come in time."""
        super().on_message_begin()
        self._size = 0
        self._await_next(is_in_head=True)

    def on_headers_complete(self) -> None:
        """Take the end of a head: its body must come in time."""
        self._refuse_upgrade()
        self._start_cycle()
        self._await_next(is_in_head=False)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        super().on_message_complete()
        self._await_nothing()
        if self._closes_after_body:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Begin the next request; read on once none waits: uvicorn reads at every answer, and what waits would grow."""
        super().on_response_complete()
        self._share.touch()
        if self.pipeline:
            self.flow.pause_reading()
        self._hold()

    def close_after_body(self) -> None:
        """Close once the rest of the body has come, or was waited for."""
        if self._awaited and not self._is_in_head:
            self._closes_after_body = True
            self._linger()
        else:
            self.transport.close()

    def _start_cycle(self) -> None:
        """Have the application answer the request."""
        super().on_headers_complete()
        self.cycle.transport = LingeringTransport(self.transport, self.close_after_body)
        if len(self.pipeline) > PIPELINED:
            self.transport.abort()
            raise HttpParserError("too many requests before the first is answered")

    @property
    def _is_free(self) -> bool:
        """Whether nothing is before a review that comes now: no answer of the application, nor one unread."""
        cycle: RequestResponseCycle | None = self.cycle
        return (cycle is None or cycle.response_complete) and not self.flow.write_paused

    def _refuse_upgrade(self) -> None:
        """Refuse to speak anything else: the parser would take the body for the next request."""
        if self.parser.should_upgrade():
            raise HttpParserError("no other protocol is spoken here")

    def _refuse(self, status: int, message: str) -> bool:
        """Have the application refuse the request whose body is being read; tell whether it still can."""
        cycle: RequestResponseCycle | None = self.cycle
        is_open = cycle is not None and not (cycle.response_started or cycle.disconnected)
        if cycle is None or not is_open or REFUSAL in cycle.scope["state"]:
            return False
        cycle.scope["state"][REFUSAL] = (status, message)
        cycle.body = bytearray()
        cycle.message_event.set()
        self._linger()
        return True

    def _linger(self) -> None:
        self._timed = self._awaited
        self._set_deadline(LINGER_SECONDS, self.transport.close)

    def _close_if_too_large(self) -> None:
        """Close a head, or trailers, of any size or number: the parser itself would take them."""
        has_large_head = self._size > HEAD_BYTES or len(self.headers or ()) > HEADERS
        if (self._is_in_head and has_large_head) or self._size > REQUEST_BYTES:
            self.transport.abort()

    def _hold(self) -> None:
        """Note what the connection holds."""
        is_reading = (self._awaited or self.is_under_way) and not self._is_dropping
        held_bytes = self._unread_bytes + (self._size if is_reading else 0)
        if self._largest_read > SMALL_READ_BYTES:
            held_bytes += int(READ_BUFFERS * self._largest_read)
        self._share.hold(held_bytes)

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
        self._timed = self._awaited
        if self._awaited:
            self._set_deadline(HEAD_SECONDS if self._is_in_head else _choose_body_seconds(self.url), self._give_up)
        elif self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _set_deadline(self, seconds: float, do: Callable[[], None]) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, do)

    @property
    def _is_dropping(self) -> bool:
        """Whether the rest of the body is read and not kept, as its request is refused."""
        cycle: RequestResponseCycle | None = self.cycle
        is_refused = cycle is not None and (cycle.response_started or REFUSAL in cycle.scope["state"])
        return is_refused and not self._is_in_head

    def _give_up(self) -> None:
        if self._is_in_head or not self._refuse(*_TOO_SLOW):
            self.transport.abort()


def _do_nothing() -> None:
    """End no handshake: it has ended."""


def _choose_body_seconds(url: bytes) -> float:
    """Choose how long a body may take: most of the time that kube-apiserver waits (`?timeout=3s`, the webhook's)."""
    match = _TIMEOUT.search(url)
    return min(BODY_SECONDS, int(match[1]) * TIMEOUT_SHARE) if match else BODY_SECONDS
