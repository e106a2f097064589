"""Reads a request's body, within its limit and the budget of all, and says what of a request is not taken."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from patchgate.errors import RequestError
from patchgate.limits import QUESTION_BYTES

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

OPENING_BYTES: Final = 512
"""What of a review's beginning has its uid: all before it takes 85 bytes."""
REFUSAL: Final = "patchgate.refusal"
"""The key in a request's state under which the protocol leaves the reason why it reads no more of the body."""

_LENGTH_DIGITS: Final = 19  # of the largest number that httptools takes


class UnreadBodyError(RequestError):
    """A body that was not read to its end.

    Attributes:
        opening: what came first of it.
    """

    def __init__(self, status: int, message: str, opening: bytes) -> None:
        super().__init__(status, message)
        self.opening = opening


async def read_body(
    scope: "Scope", receive: "Receive", most_bytes: int = QUESTION_BYTES, opening_bytes: int = 0
) -> bytes | bytearray:
    """Read the whole body.

    opening_bytes: how much of a body that declares too much is read before it is refused.

    Raises:
        UnreadBodyError: 413, over the limit; 408 or 503, the protocol gave it up.
        RequestError: 400, the caller went away half way.
    """
    state = scope.get("state", {})
    declares_too_much = read_length(dict(scope["headers"])) > most_bytes
    if declares_too_much and not opening_bytes:
        raise _refuse_too_large(most_bytes, b"")
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the body ended early")
        chunk: bytes = message.get("body", b"")
        has_more = message.get("more_body", False)
        if not (body or has_more or REFUSAL in state) and len(chunk) <= most_bytes:
            return chunk
        body += chunk
        opening = bytes(body[:opening_bytes])
        if REFUSAL in state:
            status, reason = state[REFUSAL]
            raise UnreadBodyError(status, reason, opening)
        if len(body) > most_bytes or (declares_too_much and len(opening) == opening_bytes):
            raise _refuse_too_large(most_bytes, opening)
        if not has_more:
            return body


def read_length(headers: Mapping[bytes, bytes]) -> int:
    """Read what the head says of the body's length, in bytes; 0 if it says nothing."""
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() and len(length) <= _LENGTH_DIGITS else 0


def is_json(headers: Mapping[bytes, bytes]) -> bool:
    """Tell whether the body says it is JSON, and is not packed."""
    kind = headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower() == b"application/json" and not _is_packed(headers)


def check_is_json(headers: Mapping[bytes, bytes]) -> None:
    """Check that the body says it is JSON, and is not packed.

    Raises:
        RequestError: 415.
    """
    check_is_not_packed(headers)
    if not is_json(headers):
        raise RequestError(415, "Content-Type must be application/json")


def check_is_not_packed(headers: Mapping[bytes, bytes]) -> None:
    """Check that the body has no Content-Encoding.

    Raises:
        RequestError: 415.
    """
    if _is_packed(headers):
        raise RequestError(415, "a Content-Encoding is not understood: send the body as it is")


def _is_packed(headers: Mapping[bytes, bytes]) -> bool:
    return headers.get(b"content-encoding", b"identity").lower() != b"identity"


def _refuse_too_large(most_bytes: int, opening: bytes) -> UnreadBodyError:
    return UnreadBodyError(413, f"a body has at most {most_bytes} bytes", opening)
