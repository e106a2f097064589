"""The answer in one piece: a small review, as kube-apiserver sends it, is answered as it is read, without a task.

Every other request goes the ASGI way, whose answers are the same; so does a review that is given up.
"""

from time import perf_counter
from typing import Any, Final

from patchgate.policy.decision import Mode
from patchgate.server.admission import PREFIX, AdmissionApp
from patchgate.server.body import is_json, read_length
from patchgate.server.checked_protocol import CheckedProtocol
from patchgate.server.life import Life
from patchgate.server.one_by_one import COSTLY_SECONDS

SMALL_BODY_BYTES: Final = 64 * 1024  # a usual Pod's review has 5 to 40 KB
_PATHS: Final = {f"{PREFIX}{mode}".encode(): mode for mode in Mode}


class ReviewProtocol(CheckedProtocol):
    """A connection of the main listener."""

    def __init__(self, *arguments: Any, admission: AdmissionApp, life: Life, **checks: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **checks)
        self._admission = admission
        self._life = life
        self._mode: Mode | None = None  # of the review that is being read; None for any other request
        self._parts: list[bytes] = []  # of its body

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
            self._answer(mode, b"".join(self._parts))
        self._parts = []

    def _answer(self, mode: Mode, body: bytes) -> None:
        began = perf_counter()
        keeps = self.parser.should_keep_alive() and not self._life.is_draining
        self.transport.write(self._admission.write_answer(mode, body, keeps=keeps))
        self.server_state.total_requests += 1
        self._share.touch()
        if not keeps:
            self.transport.close()
        elif perf_counter() - began > COSTLY_SECONDS:
            self.flow.pause_reading()
            self._admission.costly.add(self._read_on)  # data_received, in which this is, has it rest as well

    def _refuse(self, status: int, message: str) -> bool:
        """Have the application refuse a review of which not all has come."""
        if self._mode is not None:
            self._mode = None
            self._start_cycle()
            self.cycle.body += b"".join(self._parts)
            self._parts = []
        return super()._refuse(status, message)

    def shutdown(self) -> None:
        """Close once the review that is being read is answered."""
        if self._mode is None:
            super().shutdown()

    @property
    def _is_dropping(self) -> bool:
        return self._mode is None and super()._is_dropping

    def _choose_mode(self) -> Mode | None:
        """Choose how the request is answered: in one piece, in which mode; None for the ASGI way."""
        mode = _PATHS.get(self.url.partition(b"?")[0])
        is_usual = self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"
        if mode is None or not is_usual or self._fault or self.expect_100_continue or not self._is_free:
            return None
        headers = dict(self.headers)
        return mode if is_json(headers) and 0 < read_length(headers) <= SMALL_BODY_BYTES else None
