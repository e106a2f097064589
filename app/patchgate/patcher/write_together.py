"""Writes together what waits together: whoever comes while others write waits, and one of them writes for all.

As databases commit (group commit): a ConfigMap is written whole however little of it changed, so the more images side
by side, the less each costs. Every caller hears of its own: what is wrong with one step, or one ConfigMap, fails no
other's. It is tried once; whether to try again is each caller's, who then waits in nobody's way.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from patchgate.configmaps.record_book import RecordBook
from patchgate.errors import FullError, UnreachableError
from patchgate.patcher.record_books import Books, Edit, Step, find_changed, write_changed

T = TypeVar("T")


@dataclass(slots=True)
class _Wish:
    """A step that somebody waits for.

    Attributes:
        told: its answer, once that stands written.
        answer: what will be told.
        concerns: the ConfigMaps that must be written before.
    """

    step: Step[Any]
    told: "Future[Any]" = field(default_factory=Future)
    answer: Any = None
    concerns: frozenset[str] = frozenset()

    def take(self, before: Books, books: Books) -> Books:
        """Take the step; what it raises is its answer. before: what stands written."""
        try:
            after, self.answer = self.step(books)
        except Exception as error:  # noqa: BLE001 -- the caller's, who gets it
            self.told.set_exception(error)
            return books
        # One that changes nothing has seen what the others' steps are about to write.
        self.concerns = find_changed(books, after) or find_changed(before, books)
        return after

    def find_fault(self, faults: dict[str, Exception]) -> Exception | None:
        """Find why it does not stand written."""
        return next((fault for name, fault in faults.items() if name in self.concerns), None)


class Writer:
    """Takes steps on books and writes what comes of them. For any number of threads."""

    def __init__(
        self,
        read: Callable[[], Sequence[RecordBook]],
        write: Callable[[Edit], None],
        hold: Callable[[], AbstractContextManager[object]],
        wait: Callable[[], object] = lambda: None,
    ) -> None:
        """Read and write with these.

        hold: keeps others out from a reading to its last write.
        wait: blocks until it may be written; whoever comes meanwhile is written along.
        """
        self._read = read
        self._write = write
        self._hold = hold
        self._wait = wait
        self._writing = threading.Lock()
        self._guard = threading.Lock()  # of what waits
        self._waiting: list[_Wish] = []

    def take(self, step: Step[T]) -> T:
        """Take a step, have it written, and give its answer. Blocks.

        Raises:
            StoreError: it was not written; and what the step raises.
        """
        wish = _Wish(step)
        with self._guard:
            self._waiting.append(wish)
        with self._writing:
            if not wish.told.done():  # nobody has written it along
                self._serve()
        answer: T = wish.told.result()
        return answer

    def _serve(self) -> None:
        """Serve all that wait, whatever comes."""
        wishes: list[_Wish] = []
        try:
            self._wait()
            wishes = self._gather()
            with self._hold():
                for wish in self._write_all(wishes):
                    self._write_all([wish])  # there may be room for it alone
        except BaseException as error:  # noqa: BLE001 -- theirs who wait
            for wish in wishes or self._gather():
                if not wish.told.done():
                    wish.told.set_exception(error)

    def _gather(self) -> list[_Wish]:
        with self._guard:
            wishes, self._waiting = self._waiting, []
        return wishes

    def _write_all(self, wishes: Sequence[_Wish]) -> list[_Wish]:
        """Take the steps, write what comes of them, and tell; give those for which there is no room beside others."""
        before = books = tuple(self._read())
        for wish in wishes:
            books = wish.take(before, books)
        faults = self._write_books(before, books)
        crowded_out = []
        for wish in wishes:
            fault = wish.find_fault(faults)
            if wish.told.done():
                continue
            if isinstance(fault, FullError) and len(wishes) > 1:
                crowded_out.append(wish)
            elif fault:
                wish.told.set_exception(fault)
            else:
                wish.told.set_result(wish.answer)
        return crowded_out

    def _write_books(self, before: Books, after: Books) -> dict[str, Exception]:
        """Write each that changed; give why, by name, those that could not be written."""
        left = [new for old, new in zip(before, after, strict=True) if new is not old]
        faults: dict[str, Exception] = {}
        while left:
            book = left.pop(0)
            try:
                self._write(write_changed(before, book))
            except UnreachableError as error:  # each further try would take as long as a connection may
                return faults | dict.fromkeys([book.name, *(each.name for each in left)], error)
            except Exception as error:  # noqa: BLE001 -- told to those whom it concerns
                faults[book.name] = error
        return faults
