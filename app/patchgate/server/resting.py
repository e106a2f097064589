"""A connection that rests between requests: one timer for many rests, where uvicorn makes and ends one a request."""

from typing import TYPE_CHECKING, Any

from patchgate.server.protocol import GateProtocol

if TYPE_CHECKING:
    import asyncio


class RestingProtocol(GateProtocol):
    """Closes itself when it has rested for as long as a connection is kept."""

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401 -- uvicorn's
        super().__init__(*arguments)
        self._rested_from = 0.0  # by the loop's clock: when the last answer was written
        self._rest_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        if self._rest_timer:
            self._rest_timer.cancel()
            self._rest_timer = None

    def on_response_complete(self) -> None:
        """Rest after an answer of the application; uvicorn's own timer is set as well."""
        super().on_response_complete()
        self._rested_from = self.loop.time()

    def _rest_lazily(self) -> None:
        """Rest after an answer without touching the timer that is set already: it looks when this was."""
        self._rested_from = self.loop.time()
        if self._rest_timer is None:
            self._look_after(self.timeout_keep_alive)

    def _look_after(self, seconds: float) -> None:
        self._rest_timer = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        self._rest_timer = None
        if self._awaited or self.is_under_way:
            return  # the next answer sets it again
        left = self._rested_from + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            self.timeout_keep_alive_handler()
