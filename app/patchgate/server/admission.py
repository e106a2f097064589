"""The admission door, `POST /validate/{enforce|warn|audit}`: an ASGI application of its own, for its speed.

Bytes in, one partial parse, the decision, bytes made once: nothing of FastAPI stands between. A review whose uid can
be read is answered 200 with that uid (503 before the first snapshot); all else is 400, 404, 405, 413 or 415.
"""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.responses import Response

from patchgate.errors import RequestError
from patchgate.policy.decision import Decision, Mode
from patchgate.server.body import check_is_json, read_body
from patchgate.server.judge import Judge, conclude_unread
from patchgate.server.refusal import NotReadyError, refuse
from patchgate.server.review import API_VERSION, KIND, read_review

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_MODES: Final = {mode.value: mode for mode in Mode}
_BEFORE_UID: Final = f'{{"apiVersion":"{API_VERSION}","kind":"{KIND}","response":{{"uid":'
_FORBIDDEN: Final = 403


@dataclass(frozen=True, slots=True)
class AdmissionApp:
    """Answers AdmissionReviews; mounted where the rest of the path is the mode."""

    judge: Judge

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
            raise RequestError(405, "an AdmissionReview is POSTed")
        headers = Headers(scope=scope)
        check_is_json(headers)
        review = read_review(await read_body(headers, receive))
        snapshot = self.judge.take_snapshot()
        if snapshot is None:
            raise NotReadyError
        if review.question:
            decision = self.judge.judge(review.question, mode, snapshot)
        else:
            decision = conclude_unread(review.fault, mode)
        return Response(write_response(review.uid, decision), media_type="application/json")


def write_response(uid: str, decision: Decision) -> bytes:
    """Write the AdmissionReview that answers the one with this uid.

    A denial carries code 403, reason and message: without the code kube-apiserver answers 400. Never a patch: it
    refuses those of a validating webhook (apiserver, request/admissionreview.go).
    """
    parts = [f'{_BEFORE_UID}{json.dumps(uid)},"allowed":{"true" if decision.allowed else "false"}']
    if not decision.allowed:
        status = {"code": _FORBIDDEN, "reason": decision.reason, "message": decision.message}
        parts.append(f'"status":{json.dumps(status)}')
    if decision.warnings:
        parts.append(f'"warnings":{json.dumps(decision.warnings)}')
    if decision.audit:
        parts.append(f'"auditAnnotations":{json.dumps(decision.audit)}')
    return (",".join(parts) + "}}").encode()
