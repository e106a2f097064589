"""Reads a request's body, within the cap, and says what of a request is not taken."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from patchgate.errors import RequestError
from patchgate.limits import BODY_BYTES

if TYPE_CHECKING:
    from starlette.types import Receive


async def read_body(headers: Mapping[str, str], receive: "Receive") -> bytes:
    """Read the whole body.

    Raises:
        RequestError: 413, over the cap; said from Content-Length before a byte is read where there is one.
            400, the caller went away half way.
    """
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the body ended early")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def check_is_json(headers: Mapping[str, str]) -> None:
    """Check that the body says it is JSON, and is not packed.

    Raises:
        RequestError: 415.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RequestError(415, "Content-Type must be application/json")
    check_is_not_packed(headers)


def check_is_not_packed(headers: Mapping[str, str]) -> None:
    """Check that the body has no Content-Encoding.

    Raises:
        RequestError: 415.
    """
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError(415, "a Content-Encoding is not understood: send the body as it is")


def _too_large() -> RequestError:
    return RequestError(413, f"a body has at most {BODY_BYTES} bytes")
