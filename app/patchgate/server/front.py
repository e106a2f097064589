"""The front of every listener: closes connections that should not be kept."""

from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patchgate.server.life import Life
from patchgate.server.refusal import CLOSE


@dataclass(frozen=True, slots=True)
class Front:
    """An ASGI application around another.

    Attributes:
        app: what answers.
        life: while it drains, the answer of every request that comes closes its connection.
        closes_v1: whether answers of `/v1/` close theirs. Kyverno with a caBundle opens a connection a call and never
            closes it (pkg/engine/apicall, executor.go).
    """

    app: ASGIApp
    life: Life
    closes_v1: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        closes = self.life.is_draining or (self.closes_v1 and scope["path"].startswith("/v1/"))
        await self.app(scope, receive, _closing(send) if closes else send)


def _closing(send: Send) -> Send:
    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], CLOSE]
        await send(message)

    return send_and_close
