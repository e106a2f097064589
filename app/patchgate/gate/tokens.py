"""Joins the doors of `/v1/` with kube-apiserver, which knows whose a token is; its client is imported if asked for."""

# ruff: noqa: PLC0415 -- half a second and 30 MiB that nobody else pays

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from structlog.typing import FilteringBoundLogger

from patchgate.cluster.access import Access
from patchgate.errors import RequestError, SourceError
from patchgate.limits import TOKEN_REVIEWS
from patchgate.metrics import GateMetrics
from patchgate.policy.verdict import show

FindUser = Callable[[str], str]
"""Finds the user of a token; empty if it has none. Blocks; raises SourceError where it cannot be told."""
_USERS_LOGGED: Final = 100
"""Users of whom a refusal is logged: anyone who may project a token of the audience is one, and each is logged once."""


def open_token_review(audience: str, access: Access) -> FindUser:
    """Open the way to ask; nothing is asked yet.

    Raises:
        SourceError: no cluster to ask.
    """
    from patchgate.cluster.client import make_client
    from patchgate.cluster.token_review import TokenReviewer

    return TokenReviewer(make_client(access), audience).find_user


class TokenAsker:
    """Asks in threads of its own, few of them: who makes tokens up holds up nobody but others with new ones."""

    def __init__(
        self, find_user: FindUser, allowed: Iterable[str], metrics: GateMetrics, log: FilteringBoundLogger
    ) -> None:
        """Make one. allowed: users who may ask, each a name, or the beginning of names and `*`."""
        self._find_user = find_user
        self._allowed = tuple(allowed)
        self._refused: set[str] = set()
        self._metrics = metrics
        self._log = log
        self._threads = ThreadPoolExecutor(TOKEN_REVIEWS, "token-review")
        self._failure = ""

    async def review(self, token: str) -> bool:
        """Tell whether a token belongs to a user who may ask.

        Raises:
            RequestError: 503, nobody can say: whoever cannot be checked is not let in.
        """
        try:
            user = await asyncio.get_running_loop().run_in_executor(self._threads, self._find_user, token)
        except SourceError as error:
            self._note(str(error))
            raise RequestError(503, "whose the bearer token is cannot be asked of kube-apiserver now") from error
        self._failure = ""
        is_allowed = any(_matches(user, allowed) for allowed in self._allowed)
        if user and not is_allowed:
            self._note_refused(user)
        return bool(user) and is_allowed

    def close(self) -> None:
        """Let the threads end; waits for no answer."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _note_refused(self, user: str) -> None:
        if user not in self._refused and len(self._refused) < _USERS_LOGGED:
            self._refused.add(user)
            self._log.warning("token_user_refused", user=show(user), hint="--token-user names who may ask")

    def _note(self, failure: str) -> None:
        self._metrics.errors.labels("token").inc()
        if failure != self._failure:  # the same failure is said once
            self._log.warning("no token can be checked", reason=failure)
        self._failure = failure


def _matches(user: str, allowed: str) -> bool:
    return user.startswith(allowed[:-1]) if allowed.endswith("*") else user == allowed
