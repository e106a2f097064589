"""Writes together what waits together: whoever comes while others write waits, and one of them writes for all.

As databases commit (group commit): a ConfigMap is written whole however little of it changed, so the more images side
by side, the less each costs. Every caller hears of its own: what is wrong with one step, or one ConfigMap, fails no
other's.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from patchgate.configmaps.record_book import RecordBook
from patchgate.errors import FullError
from patchgate.patcher.record_books import Books, Edit, Step, write_changed

T = TypeVar("T")
Turn = Callable[[Callable[[], None]], None]
"""Does a reading and its writes while nobody else of this process does; does it again where that helps."""


@dataclass(slots=True)
class _Wish:
    """A step that somebody waits for.

    Attributes:
        step: what is wanted.
        told: its answer, once it is written.
        changed: the ConfigMaps that it changes, by the last reading.
        fault: why those could not be written; None where they were not tried.
    """

    step: Step[Any]
    told: "Future[Any]" = field(default_factory=Future)
    answer: Any = None
    changed: frozenset[str] = frozenset()
    fault: Exception | None = None

    def take(self, books: Books) -> Books:
        """Take the step; what it raises is its answer."""
        try:
            after, self.answer = self.step(books)
        except Exception as error:  # noqa: BLE001 -- the caller's, who gets it
            self.told.set_exception(error)
            return books
        self.changed = frozenset(new.name for old, new in zip(books, after, strict=True) if new is not old)
        return after

    def hear(self, faults: dict[str, Exception]) -> None:
        """Hear which ConfigMaps could not be written."""
        self.fault = next((fault for name, fault in faults.items() if name in self.changed), None)
        if self.fault is None:
            self.told.set_result(self.answer)


class Writer:
    """Takes steps on books and writes what comes of them. For any number of threads."""

    def __init__(
        self,
        read: Callable[[], Sequence[RecordBook]],
        write: Callable[[Edit], None],
        turn: Turn,
        wait: Callable[[], None] = lambda: None,
    ) -> None:
        """Read and write with these, within such a turn.

        wait: blocks until it may be written; whoever comes meanwhile is written along.
        """
        self._read = read
        self._write = write
        self._turn = turn
        self._wait = wait
        self._writing = threading.Lock()
        self._guard = threading.Lock()  # of what waits
        self._waiting: list[_Wish] = []

    def take(self, step: Step[T]) -> T:
        """Take a step, have it written, and give its answer. Blocks.

        Raises:
            StoreError: it cannot be written; and what the step raises.
        """
        wish = _Wish(step)
        with self._guard:
            self._waiting.append(wish)
        with self._writing:
            if not wish.told.done():  # nobody has written it along
                self._wait()
                self._serve(self._gather())
        answer: T = wish.told.result()
        return answer

    def _gather(self) -> list[_Wish]:
        with self._guard:
            wishes, self._waiting = self._waiting, []
        return wishes

    def _serve(self, wishes: Sequence[_Wish]) -> None:
        """Serve every wish, whatever comes."""
        try:
            self._turn(partial(self._write_all, wishes))
        except BaseException as error:  # noqa: BLE001 -- each waits for its own
            left = [wish for wish in wishes if not wish.told.done()]
            is_crowded = len(left) > 1
            for wish in left:
                if is_crowded and isinstance(wish.fault, FullError):
                    self._serve([wish])  # there may be room for it alone
                else:
                    wish.told.set_exception(wish.fault or error)

    def _write_all(self, wishes: Sequence[_Wish]) -> None:
        before = books = tuple(self._read())
        for wish in wishes:
            if not wish.told.done():
                books = wish.take(books)
        faults: dict[str, Exception] = {}
        for old, new in zip(before, books, strict=True):
            if new is not old:
                try:
                    self._write(write_changed(before, new))
                except Exception as error:  # noqa: BLE001 -- raised below
                    faults[new.name] = error
        for wish in wishes:
            if not wish.told.done():
                wish.hear(faults)
        for fault in sorted(faults.values(), key=lambda fault: isinstance(fault, FullError)):
            raise fault  # another one first: it may pass
