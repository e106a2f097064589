"""Slices: a pace that computes for a moment, and then leaves the interpreter to others for longer."""

import time
from collections.abc import Iterable, Iterator
from threading import Event
from typing import TypeVar

from patchgate.errors import RequestError
from patchgate.limits import SLICE_SECONDS

_Thing = TypeVar("_Thing")


class Slices:
    """The pace of one turn: after each slice, a rest in proportion to the CPU time that it took.

    So a review waits for the end of one slice, once. Beside work that does not rest it would wait again each time that
    it has let go of the interpreter, which it does whenever it reads or writes.
    """

    def __init__(self, share: float, given_up: Event, taken_seconds: float = 0) -> None:
        """Begin a slice of the calling thread, the only one that may be at this pace.

        share: of a processor, how much all slices together may take.
        given_up: set when nobody waits for the work any more.
        taken_seconds: the CPU time of this slice that the turn before has taken.
        """
        self._rests_per_second = 1 / share - 1
        self._given_up = given_up
        self._begin(taken_seconds)

    @property
    def taken_seconds(self) -> float:
        """The CPU time that this slice has taken."""
        return time.thread_time() - self._began

    def __call__(self, things: Iterable[_Thing]) -> Iterator[_Thing]:
        """Give the things; rest before one where the slice is over.

        Raises:
            RequestError: nobody waits for the work any more.
        """
        for thing in things:
            self.rest_if_due()
            yield thing

    def rest_if_due(self) -> None:
        """Rest where the slice is over: by the wall's clock, which is read in a tenth of the time of the CPU's.

        Raises:
            RequestError: nobody waits for the work any more.
        """
        if time.perf_counter() >= self._ends:
            if self._given_up.wait(self.taken_seconds * self._rests_per_second):
                raise RequestError(503, "nobody waits for it any more")
            self._begin()

    def _begin(self, taken_seconds: float = 0) -> None:
        self._began = time.thread_time() - taken_seconds
        self._ends = time.perf_counter() + SLICE_SECONDS - taken_seconds
