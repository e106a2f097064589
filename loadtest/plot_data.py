"""What a picture shows: lines over an axis. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One line. x, y: as many of each; low, high: the range around y, if there is one. is_level: a mark to look to."""

    legend: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    is_level: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture. is_log: whether x goes by powers; is_steep: whether y does as well; else y begins at nought."""

    title: str
    x_name: str
    y_name: str
    lines: Sequence[Line]
    is_log: bool = False
    is_steep: bool = False
