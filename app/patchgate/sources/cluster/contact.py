"""How it stands between us and kube-apiserver: when it was last heard, and what fails.

Written by the watching thread and the reading one, each value whole in one assignment; read by anybody.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from patchgate.limits import WATCH_STEADY_SECONDS


@dataclass(slots=True)
class Contact:
    """What is known of kube-apiserver's answers.

    Attributes:
        steady_seconds: a watch that has lasted so long shows that all is well.
        longest_seconds: no watch lasts longer.
        on_word: called, in the thread that learns it, whenever something may have changed.
        failure: why the last request failed; empty where it did not.
        is_synced: set once all names are known.
        is_ended: set once nothing more is to be asked.
    """

    steady_seconds: float = WATCH_STEADY_SECONDS
    longest_seconds: float = float("inf")
    on_word: Callable[[], None] = lambda: None
    failure: str = ""
    is_synced: threading.Event = field(default_factory=threading.Event)
    is_ended: threading.Event = field(default_factory=threading.Event)
    _heard_at: float | None = None
    _watching_since: float | None = None

    def hear(self) -> None:
        """Note that kube-apiserver has answered."""
        self._heard_at = time.monotonic()

    def begin_watch(self) -> None:
        """Note that a watch has begun, so that all that was listed is known."""
        self._watching_since = time.monotonic()
        self.is_synced.set()

    def end_watch(self) -> float | None:
        """Note that no watch goes on. Gives how long it lasted, in seconds; None where none had begun."""
        since, self._watching_since = self._watching_since, None
        if since is None:
            return None
        lasted_seconds = time.monotonic() - since
        if lasted_seconds >= self.steady_seconds:
            self.failure = ""
        return lasted_seconds

    def fail(self, failure: str) -> None:
        """Note a failure."""
        self.failure = failure
        self.on_word()

    def find_failure(self) -> str:
        """Say what fails; empty where nothing does, which a watch shows by going on."""
        since = self._watching_since
        lasts_seconds = 0.0 if since is None else time.monotonic() - since
        if lasts_seconds > self.longest_seconds:
            return "the watch has ended, and nobody began another: a defect of patchgate, restart it"
        return "" if lasts_seconds >= self.steady_seconds else self.failure

    @property
    def age_seconds(self) -> float | None:
        """Seconds since kube-apiserver was last heard; None before."""
        heard_at = self._heard_at
        return None if heard_at is None else time.monotonic() - heard_at
