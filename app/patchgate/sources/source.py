"""What every source gives: the ConfigMaps as they stand, and what of them could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from patchgate.configmaps.configmap import ConfigMap
from patchgate.policy.part import Problem


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a source.

    Attributes:
        configmaps: name → ConfigMap, whole.
        problems: what could not be read.
    """

    configmaps: Mapping[str, ConfigMap]
    problems: tuple[Problem, ...]


class Source(Protocol):
    """A place that ConfigMaps come from: a directory, a cluster."""

    def read(self) -> Reading:
        """Read every ConfigMap. Blocks.

        Raises:
            SourceError: the source as a whole cannot be read.
        """
        ...
