"""A workload that was found somewhere, as JSON has it, with whom people know it by."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Found:
    """An object that has images.

    Attributes:
        workload: `Kind NAMESPACE/NAME` of it, or of what made it.
        namespace: where it is.
        value: the object, with its kind and apiVersion.
    """

    workload: str
    namespace: str
    value: Mapping[str, object]
