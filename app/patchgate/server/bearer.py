"""Lets through to `/v1/` only who shows a bearer token that is known (RFC 6750, 2.1). Reviews are not asked for one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from patchgate.errors import RequestError
from patchgate.limits import TOKEN_BYTES
from patchgate.server.refusal import refuse

_PREFIX: Final = "/v1/"
_SCHEME: Final = b"bearer"


@dataclass(frozen=True, slots=True)
class Bearer:
    """An ASGI application around another.

    Attributes:
        app: what answers those who are known.
        is_known: tells whether a token is; may raise RequestError where nobody can say.
    """

    app: ASGIApp
    is_known: Callable[[str], Awaitable[bool]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"].startswith(_PREFIX):
            try:
                await self._check(dict(scope["headers"]))
            except RequestError as error:
                await refuse(error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _check(self, headers: dict[bytes, bytes]) -> None:
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != _SCHEME or not token.strip():
            raise RequestError(401, "send a bearer token")
        if len(token) > TOKEN_BYTES or not token.isascii() or not await self.is_known(token.strip().decode("ascii")):
            raise RequestError(
                401, "the bearer token is not known, not meant for patchgate, or of a user who may not ask"
            )
