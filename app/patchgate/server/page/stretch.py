"""A stretch of a list: a copy of a long one would take the time of several reviews."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patchgate.server.page.entry import Entry


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbours in a list, or the same backwards.

    Attributes:
        entries: the list.
        positions: of those that are meant, in the order that is meant.
    """

    entries: Sequence[Entry]
    positions: range

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Stretch":
        """Take the whole list."""
        return cls(entries, range(len(entries)))

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.positions)

    def __iter__(self) -> Iterator[Entry]:
        """Give the entries."""
        return (self.entries[position] for position in self.positions)

    def cut(self, start: int = 0, stop: int | None = None) -> "Stretch":
        """Take a part, by places from 0 within the stretch."""
        return replace(self, positions=self.positions[start:stop])

    def turn_round(self) -> "Stretch":
        """Take the same backwards."""
        return replace(self, positions=self.positions[::-1])


def cut_out(stretches: Sequence[Stretch], start: int, stop: int) -> Iterator[Entry]:
    """Give a part of what stands in several stretches, by places from 0 in all of them."""
    for stretch in stretches:
        yield from stretch.cut(start, stop)
        start, stop = (max(place - len(stretch), 0) for place in (start, stop))
