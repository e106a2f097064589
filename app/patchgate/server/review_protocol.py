"""The short way of a review: one that comes whole is answered without a task or an application's calls.

It is what kube-apiserver sends: POST to a mode's path, with Content-Length, on a connection that waits for nothing
else. Where its head is one that was read before (head_memory), no parser reads it again. Whatever is not like that
takes the long way through the ASGI application, whose answers are the same.
"""

from typing import TYPE_CHECKING, Any, Final

from patchgate.errors import RequestError
from patchgate.limits import BODY_BYTES
from patchgate.policy.decision import Mode
from patchgate.server.admission import PREFIX
from patchgate.server.body import check_is_json
from patchgate.server.head_memory import HeadMemory, KnownHead, cut_head
from patchgate.server.resting import RestingProtocol
from patchgate.server.review_batch import ReviewBatch, WholeReview

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_PATHS: Final = {f"{PREFIX}{mode}".encode(): mode for mode in Mode}


class ReviewProtocol(RestingProtocol):
    """A connection of the main listener."""

    def __init__(self, *arguments: Any, batch: ReviewBatch, heads: HeadMemory) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(*arguments)
        self._batch = batch
        self._heads = heads
        self._mode: Mode | None = None  # of the review being read; None where the request takes the long way
        self._parts: list[bytes] = []  # of its body
        self._lacking = 0  # bytes that its body lacks, where no parser reads it
        self._is_parsing = False  # whether the parser is within a request
        self._new_head = b""  # the head of the request that it is within, where that may be remembered
        self._waiting = 0  # reviews that are read and not answered
        self.is_last = False

    @property
    def is_under_way(self) -> bool:
        """Whether a request whose head has come is not answered yet."""
        return self._waiting > 0 or super().is_under_way

    def data_received(self, data: bytes) -> None:
        """Take some bytes."""
        left = self._take_known(data)
        if not left:
            self._keep_time()
            return
        if not self._is_parsing:
            self._new_head = cut_head(left)
        super().data_received(left)

    def eof_received(self) -> None:
        """Answer before the connection closes itself: its caller may still read."""
        self._answer_waiting()
        super().eof_received()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, behind the reviews that came before it."""
        self._answer_waiting()
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """Take the first byte of a request."""
        super().on_message_begin()
        self._is_parsing = True

    def on_headers_complete(self) -> None:
        """Take the end of a head, and choose the way."""
        self._refuse_upgrade()
        self._mode = self._choose_mode()
        if self._mode is None:
            self._new_head = b""
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
        """Take the end of a request; have it answered if it takes the short way."""
        self._is_parsing = False
        if self._mode is None:
            super().on_message_complete()
            return
        keeps = self.parser.should_keep_alive()
        if keeps and self._new_head:
            self._heads.learn(self._new_head, self._mode, self.url, sum(map(len, self._parts)))
        self._new_head = b""
        self._end_review(self._mode, keeps=keeps)

    def take_answer(self, answer: bytes, *, keeps: bool) -> None:
        """Write the answer of a review; close the connection unless it is kept."""
        self._waiting -= 1
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        self.server_state.total_requests += 1
        if keeps:
            self._rest_lazily()
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """Close once the review that is being read is answered."""
        if self._mode is None and not self._waiting:
            super().shutdown()
        else:
            self.is_last = True

    @property
    def _is_answered(self) -> bool:
        return self._mode is None and super()._is_answered

    @property
    def _is_free(self) -> bool:
        """Whether nothing stands before a review that comes now: no answer of the application, nor one unread."""
        cycle: RequestResponseCycle | None = self.cycle
        is_idle = cycle is None or cycle.response_complete
        return is_idle and not (self.flow.write_paused or self._is_one_too_many)

    def _take_known(self, data: bytes) -> bytes:
        """Take reviews whose heads are known; give what is left for the parser."""
        if self._lacking:
            data = self._take_body(data)
        while data and not self._is_parsing:
            head = self._heads.find(data)
            if head is None or not self._is_free:
                break
            self._begin_known(head)
            data = self._take_body(data[head.head_bytes :])
        return data

    def _begin_known(self, head: KnownHead) -> None:
        if self.timeout_keep_alive_task:
            self._unset_keepalive_if_required()
        self._mode, self._lacking, self.url = head.mode, head.body_bytes, head.url
        self._await_next(is_in_head=False)

    def _take_body(self, data: bytes) -> bytes:
        """Take what the body lacks; give what follows it."""
        lacking = self._lacking
        part = data[:lacking]
        self._parts.append(part)
        self._lacking -= len(part)
        if self._mode and not self._lacking:
            self._end_review(self._mode, keeps=True)
        return data[lacking:]

    def _end_review(self, mode: Mode, *, keeps: bool) -> None:
        """Have the review answered that was read."""
        parts = self._parts
        self._mode, self._parts = None, []
        self._await_nothing()
        self._waiting += 1
        self._batch.add(WholeReview(self, mode, parts[0] if len(parts) == 1 else b"".join(parts), keeps))

    def _give_up(self) -> None:
        """Answer before the end what came before the request that takes too long."""
        self._answer_waiting()
        super()._give_up()

    def _answer_waiting(self) -> None:
        if self._waiting:
            self._batch.answer_all()

    def _choose_mode(self) -> Mode | None:
        """Choose the short way: give the mode that is asked for; None for the long way."""
        mode = _PATHS.get(self.url.partition(b"?")[0])
        is_usual = self.parser.get_method() == b"POST" and self.parser.get_http_version() == "1.1"
        if mode is None or not is_usual or self.expect_100_continue or not self._is_free:
            return None
        return mode if _is_json_within_cap(dict(self.headers)) else None


def _is_json_within_cap(headers: dict[bytes, bytes]) -> bool:
    length = headers.get(b"content-length", b"")
    try:
        check_is_json(headers)
    except RequestError:
        return False
    return length.isdigit() and int(length) <= BODY_BYTES
