"""The front of every listener: counts what is in flight, and closes connections that should not be kept."""

from dataclasses import dataclass

from prometheus_client import Gauge
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patchgate.server.life import Life

_CLOSE = (b"connection", b"close")


@dataclass(frozen=True, slots=True)
class Front:
    """An ASGI application around another.

    Attributes:
        app: what answers.
        life: while it drains, every answer closes its connection.
        in_flight: requests being answered.
        closes_v1: whether answers of `/v1/` close theirs. Kyverno with a caBundle opens a connection a call and never
            closes it (pkg/engine/apicall, executor.go).
    """

    app: ASGIApp
    life: Life
    in_flight: Gauge
    closes_v1: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.in_flight.inc()
        try:
            if self.closes_v1 and scope["path"].startswith("/v1/"):
                await self.app(scope, receive, _closing(send))
            else:
                await self.app(scope, receive, self._closing_while_draining(send))
        finally:
            self.in_flight.dec()

    def _closing_while_draining(self, send: Send) -> Send:
        """Close if the gate drains when the answer begins, not when the request did."""

        async def send_or_close(message: Message) -> None:
            if self.life.is_draining and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _CLOSE]
            await send(message)

        return send_or_close


def _closing(send: Send) -> Send:
    async def send_and_close(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], _CLOSE]
        await send(message)

    return send_and_close
