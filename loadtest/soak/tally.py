"""Counts what was asked and what failed, from many threads."""

import threading
from collections import Counter
from typing import Final

_SHOWN_FAILURES: Final = 40
_SHOWN_CHARACTERS: Final = 300


class Tally:
    """What came of the soak so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._said: list[str] = []

    def note(self, kind: str, complaint: str = "") -> None:
        """Count one of a kind; with a complaint it failed."""
        with self._lock:
            self._asked[kind] += 1
            if complaint:
                self._failed[kind] += 1
                self._said.append(f"{kind}: {complaint[:_SHOWN_CHARACTERS]}")

    @property
    def failures(self) -> int:
        """How many failed."""
        with self._lock:
            return self._failed.total()

    @property
    def asked(self) -> int:
        """How many were asked."""
        with self._lock:
            return self._asked.total()

    def list_rows(self) -> list[tuple[str, int, int]]:
        """List each kind, how many there were, and how many of them failed."""
        with self._lock:
            return [(kind, number, self._failed[kind]) for kind, number in sorted(self._asked.items())]

    def list_complaints(self) -> list[str]:
        """List the first failures, with what was answered."""
        with self._lock:
            return self._said[:_SHOWN_FAILURES]
