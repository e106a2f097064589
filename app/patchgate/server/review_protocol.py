"""The short way of a review: one that comes whole is answered as it is read, without a task or an application's calls.

It is what kube-apiserver sends: POST to a mode's path, with Content-Length, on a connection that waits for nothing
else. Whatever is not like that takes the long way through the ASGI application, whose answers are the same.
"""

from typing import TYPE_CHECKING, Any, Final

from patchgate.errors import RequestError
from patchgate.limits import BODY_BYTES
from patchgate.policy.decision import Mode
from patchgate.server.admission import PREFIX, AdmissionApp
from patchgate.server.body import check_is_json
from patchgate.server.life import Life
from patchgate.server.protocol import GateProtocol
from patchgate.server.refusal import write_refusal

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_PATHS: Final = {f"{PREFIX}{mode}".encode(): mode for mode in Mode}
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
_CLOSE: Final = b"connection: close\r\n"


class ReviewProtocol(GateProtocol):
    """A connection of the main listener."""

    def __init__(self, *arguments: Any, admission: AdmissionApp, life: Life) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(*arguments)
        self._admission = admission
        self._life = life
        self._mode: Mode | None = None  # of the review being read; None where the request takes the long way
        self._known_headers: dict[bytes, bytes] = {}  # its own, by name
        self._parts: list[bytes] = []
        self._is_last = False

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
        """Take the end of a request; answer it if it takes the short way."""
        if self._mode is None:
            super().on_message_complete()
            return
        self._await_nothing()
        mode, parts = self._mode, self._parts
        self._mode, self._parts = None, []
        self._answer(mode, parts[0] if len(parts) == 1 else b"".join(parts))

    def shutdown(self) -> None:
        """Close once the review that is being read is answered."""
        if self._mode is None:
            super().shutdown()
        else:
            self._is_last = True

    @property
    def _is_answered(self) -> bool:
        return self._mode is None and super()._is_answered

    def _choose_mode(self) -> Mode | None:
        """Choose the short way: give the mode that is asked for; None for the long way."""
        mode = _PATHS.get(self.url.partition(b"?")[0])
        cycle: RequestResponseCycle | None = self.cycle
        is_idle = not self.flow.write_paused and (cycle is None or cycle.response_complete)
        is_usual = self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"
        is_unusual = not is_usual or self._is_one_too_many or self.expect_100_continue
        if mode is None or not is_idle or is_unusual:
            return None
        self._known_headers = dict(self.headers)
        length = self._known_headers.get(b"content-length", b"")
        return mode if length.isdigit() and int(length) <= BODY_BYTES else None

    def _answer(self, mode: Mode, body: bytes) -> None:
        keeps = not (self._is_last or self._life.is_draining) and self.parser.should_keep_alive()
        try:
            check_is_json(self._known_headers)
            answer = self._admission.answer_review(mode, body)
        except RequestError as error:
            self._admission.reporter.tell_refusal(error.status)
            self.transport.write(write_refusal(error, keeps=keeps))
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not look like bad HTTP, nor end the connection
            self._admission.reporter.tell_failure(error, "review")
            self.transport.write(write_refusal(RequestError(500, "patchgate failed, its log says why"), keeps=keeps))
        else:
            close = b"" if keeps else _CLOSE
            self.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (_HEAD, close, len(answer), answer))
        if not keeps:
            self.transport.close()
        self.on_response_complete()
