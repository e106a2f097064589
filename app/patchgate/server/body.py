"""Reads a request's body, within the cap, and says what of a request is not taken."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from patchgate.errors import RequestError
from patchgate.limits import BODY_BYTES

if TYPE_CHECKING:
    from starlette.types import Receive


async def read_body(headers: Mapping[bytes, bytes], receive: "Receive") -> bytes:
    """Read the whole body.

    headers: as ASGI has them, in lower case; of two of one name the last.

    Raises:
        RequestError: 413, over the cap; said from Content-Length before a byte is read where there is one.
            400, the caller went away half way.
    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > BODY_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the body ended early")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > BODY_BYTES:
            raise _too_large()
        if not (chunks or message.get("more_body")):
            return chunk
        chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


def check_is_json(headers: Mapping[bytes, bytes]) -> None:
    """Check that the body says it is JSON, and is not packed.

    Raises:
        RequestError: 415.
    """
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise RequestError(415, "Content-Type must be application/json")
    check_is_not_packed(headers)


def check_is_not_packed(headers: Mapping[bytes, bytes]) -> None:
    """Check that the body has no Content-Encoding.

    Raises:
        RequestError: 415.
    """
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestError(415, "a Content-Encoding is not understood: send the body as it is")


def _too_large() -> RequestError:
    return RequestError(413, f"a body has at most {BODY_BYTES} bytes")
