"""Asks kube-apiserver again where that helps, within a limit: a conflict, too busy, a fault of its own, nobody there.

What was asked for may have been done although no answer came: whoever asks reads anew each time.
"""

import random
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, TypeVar

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from patchgate.cluster.pace import Pace
from patchgate.limits import CONFLICT_FIRST_SECONDS, CONFLICT_MOST_SECONDS, RETRY_AFTER_MOST_SECONDS

_PASSING: Final = frozenset(
    (
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
)
T = TypeVar("T")


def ask_until_done(ask: Callable[[], T], limit_seconds: float, pace: Pace) -> T:
    """Ask until it is done, or asking again is of no use, or too late. Blocks.

    ask: may be called many times; it raises what the client raises, or an error of ours from that.
    """
    deadline = time.monotonic() + limit_seconds
    failures, refused_at = 0, 0.0
    while True:
        try:
            return ask()
        except Exception as error:
            cause, now = error.__cause__ or error, time.monotonic()
            failures += 1
            refused_at = (refused_at or now) if _is_refusal(cause) else 0.0
            pause_seconds = choose_pause_seconds(cause, failures, pace)
            ends_at = min(deadline, refused_at + pace.refused_seconds) if refused_at else deadline
            if pause_seconds is None or now + pause_seconds >= ends_at:
                raise
        time.sleep(pause_seconds)


def choose_pause_seconds(error: BaseException, failures: int, pace: Pace) -> float | None:
    """Choose how long to wait before asking again; None where that is of no use.

    After a conflict somebody else has got on: the pause is short, and any part of its longest, so that of many writers
    each gets its turn.
    """
    if isinstance(error, ApiException):
        if error.status == HTTPStatus.CONFLICT:
            longest = min(CONFLICT_MOST_SECONDS, CONFLICT_FIRST_SECONDS * 2.0 ** min(failures - 1, 10))
            return random.uniform(0, longest)  # noqa: S311 -- no secret
        if error.status not in _PASSING and not _is_refusal(error):
            return None
        return max(_read_retry_after(error), pace.choose_pause_seconds(failures))
    return pace.choose_pause_seconds(failures) if isinstance(error, HTTPError | OSError) else None


def _is_refusal(error: BaseException) -> bool:
    """Tell whether the right is missing, or kube-apiserver has just started and does not know the Roles yet."""
    return isinstance(error, ApiException) and error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def _read_retry_after(error: ApiException) -> float:
    """Read how long kube-apiserver asks to be left alone, in whole seconds; 0 where it does not say."""
    text = str((error.headers or {}).get("Retry-After", "")).strip()
    return min(float(text), RETRY_AFTER_MOST_SECONDS) if text.isascii() and text.isdecimal() else 0.0
