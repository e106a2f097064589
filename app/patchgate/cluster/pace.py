"""How fast kube-apiserver is asked, and how long it may take to answer."""

import random
from dataclasses import dataclass

from patchgate.limits import (
    API_CONNECT_SECONDS,
    API_READ_SECONDS,
    REFUSED_SECONDS,
    RETRY_FIRST_SECONDS,
    RETRY_MOST_SECONDS,
    WATCH_JITTER_SECONDS,
    WATCH_SECONDS,
    WATCH_SILENCE_SECONDS,
    WATCH_STEADY_SECONDS,
)


@dataclass(frozen=True, slots=True)
class Pace:
    """Time limits and pauses; each limit is explained in `limits.py`."""

    connect_seconds: float = API_CONNECT_SECONDS
    read_seconds: float = API_READ_SECONDS
    watch_seconds: int = WATCH_SECONDS
    watch_jitter_seconds: int = WATCH_JITTER_SECONDS
    silence_seconds: float = WATCH_SILENCE_SECONDS
    steady_seconds: float = WATCH_STEADY_SECONDS
    retry_first_seconds: float = RETRY_FIRST_SECONDS
    retry_most_seconds: float = RETRY_MOST_SECONDS
    refused_seconds: float = REFUSED_SECONDS

    def choose_watch_seconds(self) -> int:
        """Choose how long a watch lasts: with jitter, as replicas begin theirs at the same time."""
        return self.watch_seconds + random.randint(0, self.watch_jitter_seconds)  # noqa: S311 -- no secret

    def choose_pause_seconds(self, failures: int) -> float:
        """Choose how long to wait after so many failures in a row: with jitter, as replicas fail at the same time."""
        if failures == 0:
            return 0.0
        longest = min(self.retry_most_seconds, self.retry_first_seconds * 2.0 ** min(failures - 1, 10))
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- no secret

    @property
    def longest_watch_seconds(self) -> float:
        """Longer than any watch lasts: kube-apiserver ends it, or its silence does."""
        return self.watch_seconds + self.watch_jitter_seconds + self.silence_seconds + self.connect_seconds

    @property
    def request_seconds(self) -> tuple[float, float]:
        """The limits of a request that is no watch, as the client takes them."""
        return self.connect_seconds, self.read_seconds
