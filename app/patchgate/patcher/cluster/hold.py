"""Holds a tag across Pods: claims it, renews the claim while the block lasts, lets go of it, waits for others.

A Pod that dies leaves its claim; whoever waits takes it over once it has seen it unchanged for its whole time.
"""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from patchgate.configmaps.claims import Claim
from patchgate.errors import HeldError, StoreError
from patchgate.limits import CLAIM_POLL_SECONDS, CLAIM_RENEW_SECONDS, CLAIM_SECONDS


@dataclass(frozen=True, slots=True)
class ClaimPace:
    """How long a claim lasts, how often it is renewed and looked at; each limit is explained in `limits.py`."""

    seconds: float = CLAIM_SECONDS
    renew_seconds: float = CLAIM_RENEW_SECONDS
    poll_seconds: float = CLAIM_POLL_SECONDS


class Claims(Protocol):
    """Where claims are written. Every method raises StoreError where that cannot be done."""

    def claim(self, reference: str, holder: str, seconds: float, over: Claim | None) -> Claim | None:
        """Claim or renew, where nobody else holds it or that is `over`; give the claim that is in the way."""
        ...

    def release(self, reference: str, holder: str) -> None:
        """Let go of what is this holder's still."""
        ...


@contextmanager
def hold(claims: Claims, reference: str, limit_seconds: float, pace: ClaimPace) -> Iterator[None]:
    """Hold `REPO:TAG` until the block ends.

    Raises:
        HeldError: another one did not let go within the limit.
        StoreError: it cannot be claimed.
    """
    holder = f"{socket.gethostname()}/{uuid.uuid4().hex[:12]}"  # threads of one process too are others
    _wait(claims, reference, holder, limit_seconds, pace)
    ended = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(claims, reference, holder, pace, ended.wait), name="renew claim", daemon=True
    )
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with suppress(StoreError):  # what was done under it is done; it ends by itself
            claims.release(reference, holder)


def _wait(claims: Claims, reference: str, holder: str, limit_seconds: float, pace: ClaimPace) -> None:
    began = seen_since = time.monotonic()
    seen: Claim | None = None
    while True:
        is_over = seen is not None and time.monotonic() - seen_since >= pace.seconds
        other = claims.claim(reference, holder, pace.seconds, seen if is_over else None)
        if other is None:
            return
        if time.monotonic() - began >= limit_seconds:
            raise HeldError(
                f"{other.holder} holds {reference} and did not let go for {limit_seconds:g} s: another patcher gives "
                "this tag a meaning; the next run tries again"
            )
        if other != seen:
            seen, seen_since = other, time.monotonic()
        time.sleep(pace.poll_seconds)


def _renew(claims: Claims, reference: str, holder: str, pace: ClaimPace, wait_for_end: Callable[[float], bool]) -> None:
    while not wait_for_end(pace.renew_seconds):
        with suppress(StoreError):  # the next try may be in time
            if claims.claim(reference, holder, pace.seconds, None):
                return  # somebody took us for dead
