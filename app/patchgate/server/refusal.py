"""What a request gets that is not decided: a status, and JSON that no caller can take for leave."""

import json
import re
from typing import Final

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from patchgate.errors import RequestError
from patchgate.limits import RETRY_AFTER_SECONDS, SHOWN_LINE_CHARACTERS
from patchgate.policy.verdict import show

CLOSE: Final = (b"connection", b"close")
_VARIABLE: Final = re.compile(rb"\{(?=\{)")
_REASONS: Final = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    421: "MisdirectedRequest",
    500: "InternalError",
    503: "NotReady",
}


class NotReadyError(RequestError):
    """Nobody knows yet what is tracked: never "allow because empty"."""

    def __init__(self) -> None:
        super().__init__(503, "not ready: the main image list has not been read yet")


def write_json(content: object) -> bytes:
    """Write JSON that Kyverno may read: without `{{`, where it would look for a variable."""
    return _VARIABLE.sub(b"{ ", json.dumps(content).encode())


def refuse(error: RequestError, body: bytes | None = None) -> Response:
    """Answer a request that cannot be decided.

    body: JSON in the shape of the door that was asked. Without one it is that of a decision, because Kyverno's CEL
    `http` hands a policy the body of a failure as well.
    """
    headers = {"Allow": error.allow} if error.allow else {}
    if error.status == 408:  # noqa: PLR2004 -- RFC 9110, 15.5.9: the rest of the body is not waited for
        headers["Connection"] = "close"
    if error.status == 503:  # noqa: PLR2004 -- kube-apiserver tries again only with a whole number of seconds
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if error.status == 401:  # noqa: PLR2004 -- RFC 9110, 15.5.2: it must say how
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body or _describe(error), error.status, headers=headers, media_type="application/json")


def _describe(error: RequestError) -> bytes:
    reason = _REASONS.get(error.status, "BadRequest")
    message = show(str(error), SHOWN_LINE_CHARACTERS)
    return write_json({"allowed": False, "reason": reason, "message": message, "images": []})


def write_refusal(error: RequestError, *, keeps: bool = False) -> bytes:
    """Write the same as HTTP/1.1, for where no application answers. keeps: whether the connection stays open."""
    response = refuse(error)
    headers = response.raw_headers if keeps else [*response.raw_headers, CLOSE]
    return STATUS_LINE[error.status] + b"\r\n".join((*map(b": ".join, headers), b"", bytes(response.body)))
