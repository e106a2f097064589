"""What every source gives: the ConfigMaps that came or changed, the names of all, and word of a change.

A source keeps no content: a ConfigMap is handed over once, one at a time, and may be forgotten by then.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.part import Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a source.

    Attributes:
        names: of every ConfigMap there is, changed or not.
        problems: what could not be read.
    """

    names: frozenset[str]
    problems: tuple[Problem, ...]


class Source(Protocol):
    """A place that ConfigMaps come from: a directory, a cluster."""

    def read(self, take: Callable[[ConfigMap], None]) -> Reading:
        """Hand over what came or changed since the last time; at first everything. Blocks; one call at a time.

        Raises:
            SourceError: the source as a whole cannot be read.
        """
        ...

    def forget(self, names: Iterable[str]) -> None:
        """Hand these over again at the next reading, changed or not."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Say when to read again: soon after a change, and every LOOK_AGAIN_SECONDS without one. Never ends."""
        ...
