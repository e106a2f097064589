"""The table of tracked images: one page of rows, and the links that filter, sort and turn pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchgate.limits import PAGE_ROWS
from patchgate.policy.pace import Pace
from patchgate.server.page.entry import Standing
from patchgate.server.page.index import Index
from patchgate.server.page.query import Order, Query
from patchgate.server.page.row import Row, make_row
from patchgate.server.page.stretch import cut_out

_LABELS: Final[Mapping[Standing, str]] = {
    Standing.BREACHED: "past the SLA",
    Standing.STALE: "stale",
    Standing.WAITING: "within the SLA",
    Standing.UNPATCHABLE: "unpatchable",
    Standing.UNSCANNED: "not scanned",
    Standing.APPROVED: "approved",
}
_COLUMNS: Final[tuple[tuple[str, Order | None], ...]] = (
    ("Image", Order.IMAGE),
    ("State", None),
    ("Use", None),
    ("Findings", Order.FINDINGS),
    ("First seen", Order.FIRST_SEEN),
    ("Verified", Order.VERIFIED),
    ("Time left", Order.URGENCY),
)
_RISING: Final = frozenset({Order.IMAGE, Order.FIRST_SEEN, Order.VERIFIED, Order.URGENCY})
"""Orders whose least comes first."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A link that shows the images of one standing, or (None) all."""

    standing: Standing | None
    label: str
    count: int
    link: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column's head.

    Attributes:
        label: its name.
        link: sorts by it, or the other way round; None where it does not sort.
        sorted: `ascending` or `descending` (ARIA 1.2, aria-sort); None where another column sorts.
    """

    label: str
    link: str | None
    sorted: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A link to another page of the table."""

    label: str
    link: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """One page of the table.

    Attributes:
        query: what it answers.
        rows: of this page.
        matching: how many images match, on all pages.
        first: number of the first row among them, from 1; 0 where there is none.
        last: number of the last one.
        page: from 1.
        pages: how many there are, at least 1.
        turns: first, previous, next, last.
    """

    query: Query
    rows: tuple[Row, ...]
    matching: int
    first: int
    last: int
    page: int
    pages: int
    filters: tuple[Filter, ...]
    columns: tuple[Column, ...]
    turns: tuple[Turn, ...]


def make_table(index: Index, query: Query, now: datetime, pace: Pace = iter) -> Table:
    """Make the page of the table that a query asks for; a page beyond the last is the last."""
    stretches = index.select(query, now, pace)
    matching = sum(map(len, stretches))
    pages = max(-(-matching // PAGE_ROWS), 1)
    page = min(query.page, pages)
    start = (page - 1) * PAGE_ROWS
    stop = min(start + PAGE_ROWS, matching)
    return Table(
        query=query,
        rows=tuple(make_row(entry, index.snapshot, now) for entry in pace(cut_out(stretches, start, stop))),
        matching=matching,
        first=start + 1 if matching else 0,
        last=stop,
        page=page,
        pages=pages,
        filters=tuple(pace(_list_filters(index, query, now))),
        columns=tuple(_make_column(label, order, query) for label, order in pace(_COLUMNS)),
        turns=tuple(pace(_list_turns(query, page, pages))),
    )


def _list_filters(index: Index, query: Query, now: datetime) -> Iterator[Filter]:
    yield Filter(None, "all", len(index.entries), query.of(None).link, query.standing is None)
    counts = index.count(now)
    for standing, label in _LABELS.items():
        yield Filter(standing, label, counts[standing], query.of(standing).link, query.standing is standing)


def _make_column(label: str, order: Order | None, query: Query) -> Column:
    if order is None:
        return Column(label, None, None)
    is_rising = (order in _RISING) is not query.is_reversed
    direction = "ascending" if is_rising else "descending"
    return Column(label, query.by(order).link, direction if order is query.order else None)


def _list_turns(query: Query, page: int, pages: int) -> Iterator[Turn]:
    for label, target in (("First", 1), ("Previous", page - 1), ("Next", page + 1), ("Last", pages)):
        yield Turn(label, query.at(target).link if 1 <= target <= pages and target != page else None)
