"""The admission door, `POST /validate/{enforce|warn|audit}`: an ASGI application of its own, for its speed.

Bytes in, one partial parse, the decision, bytes made once: nothing of FastAPI stands between. A review whose uid can
be read is answered 200 with that uid (503 before the first snapshot); all else is 400, 404, 405, 413 or 415.
"""

import asyncio
import json
import re
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import Response

from patchgate.errors import RequestError
from patchgate.limits import ANSWER_BYTES, MESSAGE_BYTES, TIMEOUT_SHARE
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

_MODES: Final = {mode.value: mode for mode in Mode}
_BEFORE_UID: Final = f'{{"apiVersion":"{API_VERSION}","kind":"{KIND}","response":{{"uid":'
_FORBIDDEN: Final = 403
_TIMEOUT: Final = re.compile(rb"(?:^|&)timeout=([0-9]{1,4})s(?:&|$)")
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class AdmissionApp:
    """Answers AdmissionReviews; mounted where the rest of the path is the mode."""

    judge: Judge
    reporter: Reporter

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer one request (ASGI 3)."""
        try:
            response = await self._answer(scope, receive)
        except RequestError as error:
            response = refuse(error)
        await response(scope, receive, send)

    async def _answer(self, scope: "Scope", receive: "Receive") -> Response:
        mode = _MODES.get(scope["path"].removeprefix(scope["root_path"]).removeprefix("/"))
        if mode is None:
            raise RequestError(404, f"no such mode: POST to one of {', '.join(_MODES)}")
        if scope["method"] != "POST":
            raise RequestError(405, "an AdmissionReview is POSTed", allow="POST")
        headers = Headers(scope=scope)
        check_is_json(headers)
        body = await _read_in_time(scope, headers, receive)
        start = perf_counter()
        review = read_review(body)
        snapshot = self.judge.take_snapshot()
        if snapshot is None:
            raise NotReadyError
        decision = self._decide(review, mode, snapshot)
        answer = write_response(review.uid, decision)
        self.reporter.tell_review(review, mode, decision, perf_counter() - start)
        return Response(answer, media_type="application/json")

    def _decide(self, review: Review, mode: Mode, snapshot: Snapshot) -> Decision:
        if review.question is None:
            return conclude_unread(review.fault, mode)
        try:
            return self.judge.judge(review.question, mode, snapshot)
        except Exception as error:  # noqa: BLE001 -- a defect of ours: the review is answered, the process lives
            self.reporter.tell_failure(error, "review", review.uid)
            return self.judge.conclude_failed(mode)


async def _read_in_time(scope: "Scope", headers: Headers, receive: "Receive") -> bytes:
    """Read the body while the caller still waits for the answer.

    Raises:
        RequestError: 408, it took most of the time that `?timeout=` gives (kube-apiserver sends the webhook's, `3s`).
    """
    match = _TIMEOUT.search(scope["query_string"])
    if match is None:
        return await read_body(headers, receive)
    try:
        async with asyncio.timeout(int(match[1]) * TIMEOUT_SHARE):
            return await read_body(headers, receive)
    except TimeoutError as error:
        raise RequestError(408, "the body took longer than the webhook's timeout allows") from error


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
