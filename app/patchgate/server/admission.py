"""The admission door, `POST /validate/{enforce|warn|audit}`: an ASGI application of its own, for its speed.

Bytes in, one partial parse, the decision, bytes made once: nothing of FastAPI stands between. A review whose uid can
be read is answered 200 with that uid (503 before the first snapshot); all else is 400, 404, 405, 413 or 415.
"""

import json
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

from patchgate.errors import RequestError
from patchgate.limits import ANSWER_BYTES, MESSAGE_BYTES
from patchgate.policy.decision import Decision, Mode
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import fit_bytes
from patchgate.server.body import check_is_json, read_body
from patchgate.server.judge import Judge, conclude_unread
from patchgate.server.refusal import NotReadyError, refuse
from patchgate.server.reporting import Reporter
from patchgate.server.review import API_VERSION, KIND, Review, read_review

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

PREFIX: Final = "/validate/"
"""What stands before the mode in a path."""
_MODES: Final = {mode.value: mode for mode in Mode}
_BEFORE_UID: Final = f'{{"apiVersion":"{API_VERSION}","kind":"{KIND}","response":{{"uid":'
_FORBIDDEN: Final = 403
_JSON: Final = (b"content-type", b"application/json")
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class AdmissionApp:
    """Answers AdmissionReviews under PREFIX."""

    judge: Judge
    reporter: Reporter

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request (ASGI 3)."""
        try:
            answer = await self._answer(scope, receive)
        except RequestError as error:
            await refuse(error)(scope, receive, send)
        else:
            headers = [(b"content-length", b"%d" % len(answer)), _JSON]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: "Scope", receive: "Receive") -> bytes:
        mode = _MODES.get(scope["path"][len(PREFIX) :])
        if mode is None:
            raise RequestError(404, f"no such mode: POST to one of {', '.join(_MODES)}")
        if scope["method"] != "POST":
            raise RequestError(405, "an AdmissionReview is POSTed", allow="POST")
        headers = dict(scope["headers"])
        check_is_json(headers)
        body = await read_body(headers, receive)
        start = perf_counter()
        review = read_review(body)
        snapshot = self.judge.take_snapshot()
        if snapshot is None:
            raise NotReadyError
        decision = self._decide(review, mode, snapshot)
        answer = write_response(review.uid, decision)
        self.reporter.tell_review(review, mode, decision, perf_counter() - start)
        return answer

    def _decide(self, review: Review, mode: Mode, snapshot: Snapshot) -> Decision:
        if review.question is None:
            return conclude_unread(review.fault, mode)
        try:
            return self.judge.judge(review.question, mode, snapshot)
        except Exception as error:  # noqa: BLE001 -- a defect of ours: the review is answered, the process lives
            self.reporter.tell_failure(error, "review", review.uid)
            return self.judge.conclude_failed(mode)


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
    parts = [f'{_BEFORE_UID}{_encode(uid)},"allowed":{"true" if decision.allowed else "false"}']
    if not decision.allowed:
        status = {"code": _FORBIDDEN, "reason": decision.reason, "message": decision.message}
        parts.append(f'"status":{_encode(status)}')
    if decision.warnings:
        parts.append(f'"warnings":{_encode(decision.warnings)}')
    if decision.audit:
        parts.append(f'"auditAnnotations":{_encode(decision.audit)}')
    return (",".join(parts) + "}}").encode(errors="replace")
