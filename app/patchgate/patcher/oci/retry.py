"""Tries a request again where that helps: a few times, with pauses that grow, jitter and heed Retry-After."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from patchgate.errors import RegistryError
from patchgate.limits import (
    REGISTRY_CONNECT_SECONDS,
    REGISTRY_EXCHANGE_SECONDS,
    REGISTRY_FIRST_PAUSE_SECONDS,
    REGISTRY_MOST_PAUSE_SECONDS,
    REGISTRY_READ_SECONDS,
    REGISTRY_TRIES,
)
from patchgate.patcher.oci.answer import Answer

PASSING_STATUSES: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that may be others a moment later."""


class UnreachableError(RegistryError):
    """No answer came.

    Attributes:
        may_pass: whether one may come a moment later.
    """

    def __init__(self, message: str, *, may_pass: bool) -> None:
        super().__init__(message)
        self.may_pass = may_pass


@dataclass(frozen=True, slots=True)
class Pace:
    """Time limits and pauses; each limit is explained in `limits.py`."""

    tries: int = REGISTRY_TRIES
    connect_seconds: float = REGISTRY_CONNECT_SECONDS
    read_seconds: float = REGISTRY_READ_SECONDS
    exchange_seconds: float = REGISTRY_EXCHANGE_SECONDS
    first_pause_seconds: float = REGISTRY_FIRST_PAUSE_SECONDS
    most_pause_seconds: float = REGISTRY_MOST_PAUSE_SECONDS

    def choose_pause_seconds(self, failures: int) -> float:
        """Choose how long to wait after so many failures: with jitter, as many images fail at the same time."""
        longest = min(self.most_pause_seconds, self.first_pause_seconds * 2.0 ** (failures - 1))
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- no secret


def retry(send: Callable[[], Answer], pace: Pace, stop: threading.Event) -> Answer:
    """Send until an answer comes that another try would not better; the last answer, whatever it is.

    Raises:
        RegistryError: none came, or the patcher is told to stop.
    """
    for failures in range(1, pace.tries):
        try:
            answer = send()
        except UnreachableError as error:
            if not error.may_pass:
                raise
            pause_seconds = pace.choose_pause_seconds(failures)
        else:
            if answer.status not in PASSING_STATUSES:
                return answer
            asked_seconds = read_retry_after_seconds(answer) or 0.0
            if asked_seconds > pace.most_pause_seconds:
                return answer  # too long for a run: the message says so
            pause_seconds = max(asked_seconds, pace.choose_pause_seconds(failures))
        if stop.wait(pause_seconds):
            raise RegistryError("stopped before the registry answered")
    return send()


def read_retry_after_seconds(answer: Answer) -> float | None:
    """Read how long a registry asks to be left alone, in seconds or as a date (RFC 9110, section 10.2.3)."""
    try:
        return Retry().parse_retry_after(answer.headers.get("Retry-After", ""))
    except InvalidHeader:
        return None
