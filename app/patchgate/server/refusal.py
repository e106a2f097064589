"""What a request gets that is not decided: a status, and JSON that no caller can take for leave."""

from typing import Final

from starlette.responses import JSONResponse

from patchgate.errors import RequestError
from patchgate.limits import RETRY_AFTER_SECONDS

_REASONS: Final = {
    400: "BadRequest",
    404: "NotFound",
    405: "MethodNotAllowed",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    503: "NotReady",
}


class NotReadyError(RequestError):
    """Nobody knows yet what is tracked: never "allow because empty"."""

    def __init__(self) -> None:
        super().__init__(503, "not ready: the main image list has not been read yet")


def refuse(error: RequestError) -> JSONResponse:
    """Answer a request that cannot be decided.

    The shape is that of a decision, because Kyverno's CEL `http` hands a policy the body of a failure as well.
    """
    headers = {}
    if error.status == 503:  # noqa: PLR2004 -- kube-apiserver tries again only with a whole number of seconds
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    elif error.status == 405:  # noqa: PLR2004 -- RFC 9110, section 15.5.6
        headers = {"Allow": "POST"}
    reason = _REASONS.get(error.status, "BadRequest")
    content = {"allowed": False, "reason": reason, "message": str(error), "images": []}
    return JSONResponse(content, error.status, headers=headers)
