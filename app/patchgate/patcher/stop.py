"""Whether a run is to end: nothing new is begun then, programs are ended, records finished. Safe for threads."""

import threading


class Stop:
    """Tells everybody who works for a run whether to go on.

    Attributes:
        event: set once the end is asked for; running programs are ended by it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.event = threading.Event()
        self._reason = ""

    @property
    def is_asked(self) -> bool:
        """Whether nothing new is to be begun."""
        return self.event.is_set()

    @property
    def reason(self) -> str:
        """Why, for people; empty while nobody asked."""
        return self._reason

    def ask(self, reason: str) -> None:
        """Ask for the end; the first reason stands."""
        with self._lock:
            self._reason = self._reason or reason
        self.event.set()

    def wait(self, limit_seconds: float | None) -> bool:
        """Wait until the end is asked for; False where the limit came first."""
        return self.event.wait(limit_seconds)
