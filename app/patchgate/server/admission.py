"""The admission door, `POST /validate/{enforce|warn|audit}`: an ASGI application of its own, for its speed.

Bytes in, one partial parse, the decision, bytes made once: nothing of FastAPI stands between. A review whose uid can
be read is answered 200 with that uid (503 before the first snapshot); all else is 400, 404, 405, 413 or 415. A review
that came whole needs nothing of asyncio either: `answer_review` is what `review_protocol` calls for it. One that is too
large, or given up, is refused by the uid that it began with.
"""

from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from patchgate.errors import RequestError
from patchgate.limits import ANSWER_BYTES, MESSAGE_BYTES, REVIEW_BYTES
from patchgate.policy.decision import Decision, Mode
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import fit_bytes
from patchgate.server.body import OPENING_BYTES, UnreadBodyError, check_is_json, read_body
from patchgate.server.judge import Judge, conclude_unread
from patchgate.server.one_by_one import OneByOne
from patchgate.server.refusal import CLOSE, NotReadyError, refuse, write_refusal
from patchgate.server.reporting import Reporter
from patchgate.server.review import API_VERSION, KIND, Review, find_uid, read_review

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PREFIX: Final = "/validate/"
"""What stands before the mode in a path."""
LARGE_BYTES: Final = 64 * 1024
"""A review that waits for its turn: it may take as many milliseconds as it has MiB, and 8 ms for 1,000 images."""
_MODES: Final = {mode.value: mode for mode in Mode}
_FORBIDDEN: Final = 403
_KEEPS: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
_CLOSES: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: "
_JSON: Final = (b"content-type", b"application/json")
_encode: Final = msgspec.json.Encoder().encode


class _Status(msgspec.Struct, frozen=True):
    code: int
    reason: str
    message: str


class _Response(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What of an AdmissionResponse is set (k8s.io/api/admission/v1)."""

    uid: str
    allowed: bool
    status: _Status | None = None
    warnings: tuple[str, ...] = ()
    audit_annotations: dict[str, str] = {}


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    response: _Response


@dataclass(frozen=True, slots=True)
class AdmissionApp:
    """Answers AdmissionReviews under PREFIX."""

    judge: Judge
    reporter: Reporter
    costly: OneByOne = field(default_factory=OneByOne)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request (ASGI 3)."""
        headers = [_JSON]
        try:
            try:
                answer = await self._answer(scope, receive)
            except UnreadBodyError as error:
                headers.append(CLOSE)
                answer = self._refuse_unread(scope, error)
        except RequestError as error:
            self.reporter.tell_refusal(error.status)
            await refuse(error)(scope, receive, send)
        else:
            headers.append((b"content-length", b"%d" % len(answer)))
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: "Scope", receive: "Receive") -> bytes:
        mode = find_mode(scope["path"])
        if mode is None:
            raise RequestError(404, f"no such mode: POST to one of {', '.join(_MODES)}")
        if scope["method"] != "POST":
            raise RequestError(405, "an AdmissionReview is POSTed", allow="POST")
        check_is_json(dict(scope["headers"]))
        body = await read_body(scope, receive, REVIEW_BYTES, OPENING_BYTES)
        if len(body) > LARGE_BYTES:
            await self.costly.wait()
        return self.answer_review(mode, body)

    def _refuse_unread(self, scope: "Scope", error: UnreadBodyError) -> bytes:
        """Refuse a review that was not read to its end by its uid: any other answer lets it in under Ignore.

        Raises:
            RequestError: no uid was in what came of it, or nothing can be decided yet.
        """
        uid, mode = find_uid(error.opening), find_mode(scope["path"])
        if uid is None or mode is None:
            raise error
        if self.judge.take_snapshot() is None:
            raise NotReadyError
        return self._answer_read(Review(uid, None, f"was not read: {error}"), mode, perf_counter())

    def answer_review(self, mode: Mode, body: bytes | bytearray) -> bytes:
        """Answer a review: the body of a response with status 200.

        Raises:
            RequestError: the body is no review, or nothing can be decided yet.
        """
        start = perf_counter()
        return self._answer_read(read_review(body), mode, start)

    def write_answer(self, mode: Mode, body: bytes, *, keeps: bool) -> bytes:
        """Write the whole HTTP/1.1 response to a review. keeps: whether the connection stays open."""
        try:
            answer = self.answer_review(mode, body)
        except RequestError as error:
            self.reporter.tell_refusal(error.status)
            return write_refusal(error, keeps=keeps)
        except Exception as error:  # noqa: BLE001 -- an internal error must not look like bad HTTP
            self.reporter.tell_failure(error, "review")
            return write_refusal(RequestError(500, "patchgate failed, its log says why"), keeps=keeps)
        return b"%b%d\r\n\r\n%b" % (_KEEPS if keeps else _CLOSES, len(answer), answer)

    def _answer_read(self, review: Review, mode: Mode, start: float) -> bytes:
        snapshot = self.judge.take_snapshot()
        if snapshot is None:
            raise NotReadyError
        decision = self._decide(review, mode, snapshot)
        answer = write_response(review.uid, decision)
        try:
            self.reporter.tell_review(review, mode, decision, perf_counter() - start)
        except Exception as error:  # noqa: BLE001 -- what is told of a verdict must not cost it
            self.reporter.tell_failure(error, "report", review.uid)
        return answer

    def _decide(self, review: Review, mode: Mode, snapshot: Snapshot) -> Decision:
        if review.question is None:
            return conclude_unread(review.fault, mode)
        try:
            return self.judge.judge(review.question, mode, snapshot)
        except Exception as error:  # noqa: BLE001 -- a defect of ours: the review is answered, the process lives
            self.reporter.tell_failure(error, "review", review.uid)
            return self.judge.conclude_failed(mode)


def find_mode(path: str) -> Mode | None:
    """Find the mode that a path asks for; None where it is none of the door's."""
    return _MODES.get(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else None


def write_response(uid: str, decision: Decision) -> bytes:
    """Write the AdmissionReview that answers the one with this uid.

    A denial carries code 403, reason and message: without the code kube-apiserver answers 400. Never a patch: it
    refuses those of a validating webhook (apiserver, request/admissionreview.go).
    """
    answer = _write(uid, decision)
    if len(answer) <= ANSWER_BYTES:
        return answer
    # Quotes and backslashes are two bytes each in JSON: what is left is the verdict and how its message begins.
    short = replace(decision, message=fit_bytes(decision.message, MESSAGE_BYTES // 2), warnings=(), audit={})
    return _write(uid, short)


def _write(uid: str, decision: Decision) -> bytes:
    status = None if decision.allowed else _Status(_FORBIDDEN, decision.reason, decision.message)
    response = _Response(uid, decision.allowed, status, decision.warnings, decision.audit)
    return _encode(_Answer(API_VERSION, KIND, response))
