"""The answer in one piece: a small review is answered as it is read, without a task or an application's calls.

It is what kube-apiserver sends: POST to a mode's path, with a small Content-Length, on a connection that waits for no
other answer. Every other request goes the ASGI way, whose answers are the same; so does a review that is given up.
"""

import asyncio
from time import perf_counter
from typing import Any, Final

from patchgate.policy.decision import Mode
from patchgate.server.admission import PREFIX, AdmissionApp
from patchgate.server.body import is_json, read_length
from patchgate.server.callers import CallerCheck, Fault, describe_caller
from patchgate.server.life import Life
from patchgate.server.one_by_one import COSTLY_SECONDS, OneByOne
from patchgate.server.protocol import GateProtocol

SMALL_BODY_BYTES: Final = 64 * 1024
"""A review that is answered in one piece: a usual Pod's has 5 to 40 KB. uvicorn too holds as much before it waits."""
_PATHS: Final = {f"{PREFIX}{mode}".encode(): mode for mode in Mode}


class ReviewProtocol(GateProtocol):
    """A connection of the main listener."""

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 -- uvicorn's
        admission: AdmissionApp,
        life: Life,
        costly: OneByOne,
        callers: CallerCheck | None = None,
    ) -> None:
        super().__init__(*arguments)
        self._admission = admission
        self._life = life
        self._costly = costly
        self._callers = callers
        self._fault: Fault | None = None  # of the caller's certificate
        self._mode: Mode | None = None  # of the review that is being read; None for any other request
        self._parts: list[bytes] = []  # of its body
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begin: check the caller's certificate."""
        connection = transport.get_extra_info("ssl_object")
        if self._callers and connection:
            self._fault = self._callers.find_fault(connection)
        super().connection_made(transport)
        if self._callers and self._fault:
            self.app = self._callers.guard(self.app, self._fault, describe_caller(self.client))

    def on_headers_complete(self) -> None:
        """Take the end of a head, and choose the way."""
        self._refuse_upgrade()
        self._mode = self._choose_mode()
        if self._mode is None:
            super().on_headers_complete()
        else:
            self._await_next(is_in_head=False)

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        if self._mode is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """Take the end of a request; answer it if it is a small review."""
        mode, self._mode = self._mode, None
        if mode is None:
            super().on_message_complete()
            return
        self._await_nothing()
        if not self.transport.is_closing():
            keeps = self.parser.should_keep_alive() and not (self._is_last or self._life.is_draining)
            self._answer(mode, self._take_body(), keeps=keeps)

    def _answer(self, mode: Mode, body: bytes, *, keeps: bool) -> None:
        began = perf_counter()
        self.transport.write(self._admission.write_answer(mode, body, keeps=keeps))
        self.server_state.total_requests += 1
        self._share.touch()
        if not keeps:
            self.transport.close()
            return
        self._rest()
        if perf_counter() - began > COSTLY_SECONDS:
            self.flow.pause_reading()
            self._costly.add(self._read_on)

    def _refuse(self, status: int, message: str) -> bool:
        """Have the application refuse a review of which not all has come."""
        if self._mode is not None:
            self._mode = None
            self._start_cycle()
            self.cycle.body += self._take_body()
        return super()._refuse(status, message)

    def shutdown(self) -> None:
        """Close once the review that is being read is answered."""
        self._is_last = True
        if self._mode is None:
            super().shutdown()

    def _read_on(self) -> None:
        if not self.transport.is_closing():
            self.flow.resume_reading()

    @property
    def _is_dropping(self) -> bool:
        return self._mode is None and super()._is_dropping

    def _take_body(self) -> bytes:
        parts, self._parts = self._parts, []
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _choose_mode(self) -> Mode | None:
        """Choose how the request is answered: in one piece, in which mode; None for the ASGI way."""
        mode = _PATHS.get(self.url.partition(b"?")[0])
        is_usual = self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"
        if mode is None or not is_usual or self._fault or self.expect_100_continue or not self._is_free:
            return None
        headers = dict(self.headers)
        return mode if is_json(headers) and 0 < read_length(headers) <= SMALL_BODY_BYTES else None
