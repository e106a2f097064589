"""What every source gives: the ConfigMaps as they stand, what could not be read, and word of a change."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.part import Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a source.

    Attributes:
        configmaps: name → ConfigMap. One that has not changed is the same object as in the reading before.
        problems: what could not be read.
    """

    configmaps: Mapping[str, ConfigMap]
    problems: tuple[Problem, ...]


class Source(Protocol):
    """A place that ConfigMaps come from: a directory, a cluster."""

    def read(self) -> Reading:
        """Read what has changed since the last time. Blocks; one call at a time.

        Raises:
            SourceError: the source as a whole cannot be read.
        """
        ...

    def changes(self) -> AsyncIterator[None]:
        """Say when to read again: soon after a change, and every LOOK_AGAIN_SECONDS without one. Never ends."""
        ...
