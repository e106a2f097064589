"""Reviews that came in one turn of the event loop: all are decided, then all answers are written.

One after the other of the same thing keeps code and data in the processor's caches, and the answers wake their callers
once. It changes when an answer is written by what the others of the turn take to decide, within limits.
"""

import asyncio
from contextlib import suppress
from typing import Final, Protocol

import msgspec

from patchgate.errors import RequestError
from patchgate.limits import REVIEWS_TOGETHER, REVIEWS_TOGETHER_BYTES
from patchgate.policy.decision import Mode
from patchgate.server.admission import AdmissionApp
from patchgate.server.life import Life
from patchgate.server.refusal import write_refusal

_KEEPS: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
_CLOSES: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "


class Caller(Protocol):
    """A connection on which a review came."""

    loop: asyncio.AbstractEventLoop
    is_last: bool
    """Whether the connection is to be closed when it is answered."""

    def take_answer(self, answer: bytes, *, keeps: bool) -> None:
        """Write an answer; close the connection unless it is kept."""


class WholeReview(msgspec.Struct, frozen=True):
    """A review that came whole.

    Attributes:
        caller: where the answer goes.
        mode: what is asked for.
        body: an AdmissionReview, perhaps.
        keeps: whether its caller wants the connection kept.
    """

    caller: Caller
    mode: Mode
    body: bytes
    keeps: bool


class ReviewBatch:
    """The reviews that wait for the end of the turn, of all connections, in the order in which they came."""

    def __init__(self, admission: AdmissionApp, life: Life) -> None:
        self._admission = admission
        self._life = life
        self._reviews: list[WholeReview] = []
        self._size = 0  # bytes of their bodies

    def add(self, review: WholeReview) -> None:
        """Have a review answered at the end of the turn, or now where enough wait; none waits for a large one."""
        if self._size + len(review.body) > REVIEWS_TOGETHER_BYTES:
            self.answer_all()
        if not self._reviews:
            review.caller.loop.call_soon(self.answer_all)
        self._reviews.append(review)
        self._size += len(review.body)
        if len(self._reviews) >= REVIEWS_TOGETHER or self._size >= REVIEWS_TOGETHER_BYTES:
            self.answer_all()

    def answer_all(self) -> None:
        """Answer every review that waits."""
        reviews = self._reviews
        self._reviews, self._size = [], 0
        kept = [self._keeps(review) for review in reviews]
        answers = [self._answer(review, keeps=keeps) for review, keeps in zip(reviews, kept, strict=True)]
        for review, answer, keeps in zip(reviews, answers, kept, strict=True):
            try:
                review.caller.take_answer(answer, keeps=keeps)
            except Exception as error:  # noqa: BLE001 -- the others are answered
                self._tell_failure(error)

    def _keeps(self, review: WholeReview) -> bool:
        return review.keeps and not (review.caller.is_last or self._life.is_draining)

    def _answer(self, review: WholeReview, *, keeps: bool) -> bytes:
        try:
            answer = self._admission.answer_review(review.mode, review.body)
        except RequestError as error:
            self._admission.reporter.tell_refusal(error.status)
            return write_refusal(error, keeps=keeps)
        except Exception as error:  # noqa: BLE001 -- a defect of ours must not look like bad HTTP, nor end the connection
            self._tell_failure(error)
            return write_refusal(RequestError(500, "patchgate failed, its log says why"), keeps=keeps)
        return b"%b%d\r\n\r\n%b" % (_KEEPS if keeps else _CLOSES, len(answer), answer)

    def _tell_failure(self, error: Exception) -> None:
        with suppress(Exception):  # what is told of one must not cost the others their answers
            self._admission.reporter.tell_failure(error, "review")
