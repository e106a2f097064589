"""Joins the doors of `/v1/` with kube-apiserver, which knows whose a token is; its client is imported if asked for."""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from structlog.typing import FilteringBoundLogger

from patchgate.errors import RequestError, SourceError
from patchgate.limits import TOKEN_REVIEWS
from patchgate.metrics import GateMetrics

KnowsToken = Callable[[str], bool]
"""Tells whether a token is known. Blocks; raises SourceError where it cannot be told."""


def open_token_review(audience: str) -> KnowsToken:
    """Open the way to ask; nothing is asked yet.

    Raises:
        SourceError: no cluster to ask.
    """
    from patchgate.cluster.client import make_client
    from patchgate.cluster.token_review import TokenReviewer

    return TokenReviewer(make_client(), audience).knows


class TokenAsker:
    """Asks in threads of its own, few of them: who makes tokens up holds up nobody but others with new ones."""

    def __init__(self, knows: KnowsToken, metrics: GateMetrics, log: FilteringBoundLogger) -> None:
        self._knows = knows
        self._metrics = metrics
        self._log = log
        self._threads = ThreadPoolExecutor(TOKEN_REVIEWS, "token-review")
        self._failure = ""

    async def review(self, token: str) -> bool:
        """Tell whether a token is known.

        Raises:
            RequestError: 503, nobody can say: whoever cannot be checked is not let in.
        """
        try:
            is_known = await asyncio.get_running_loop().run_in_executor(self._threads, self._knows, token)
        except SourceError as error:
            self._note(str(error))
            raise RequestError(503, "whose the bearer token is cannot be asked of kube-apiserver now") from error
        self._failure = ""
        return is_known

    def close(self) -> None:
        """Let the threads end; waits for no answer."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _note(self, failure: str) -> None:
        self._metrics.errors.labels("token").inc()
        if failure != self._failure:  # the same failure is said once
            self._log.warning("no token can be checked", reason=failure)
        self._failure = failure
