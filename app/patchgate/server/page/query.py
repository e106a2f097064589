"""What the page's table is asked for: read from an address, in which nonsense does not count, written into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from starlette.datastructures import QueryParams

from patchgate.limits import IMAGES_OFFSET_MOST, PAGE_SEARCH_CHARACTERS
from patchgate.policy.verdict import show
from patchgate.server.page.entry import Standing


class Order(StrEnum):
    """In which order images come: what is or will be refused first; by name; by findings, the worst first; by time."""

    URGENCY = "urgency"
    IMAGE = "image"
    FINDINGS = "findings"
    FIRST_SEEN = "first-seen"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the table.

    Attributes:
        text: what is searched for, as written.
        standing: only images that stand so; None for all.
        order: in which they come.
        is_reversed: the other way round.
        page: from 1.
    """

    text: str = ""
    standing: Standing | None = None
    order: Order = Order.URGENCY
    is_reversed: bool = False
    page: int = 1

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> "Query":
        """Read the parameters of an address."""
        sort, page = parameters.get("sort", ""), parameters.get("page", "")
        standing, order = parameters.get("standing", ""), sort.removeprefix("-")
        return cls(
            text=show(parameters.get("search", "").strip()[:PAGE_SEARCH_CHARACTERS]),
            standing=Standing(standing) if standing in list(Standing) else None,
            order=Order(order) if order in list(Order) else Order.URGENCY,
            is_reversed=sort.startswith("-"),
            page=_read_page(page),
        )

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are searched for, in lower case."""
        return tuple(self.text.lower().split())

    @property
    def sort(self) -> str:
        """The order as it is written in an address."""
        return ("-" if self.is_reversed else "") + self.order

    @property
    def link(self) -> str:
        """The address that asks this, relative to any page."""
        default = Query()
        parts = {
            "search": self.text,
            "standing": self.standing or "",
            "sort": "" if self.sort == default.sort else self.sort,
            "page": "" if self.page == default.page else self.page,
        }
        asked = {name: value for name, value in parts.items() if value}
        return f"./?{QueryParams(asked)}" if asked else "./"

    def of(self, standing: Standing | None) -> "Query":
        """Ask for another standing, from the first page."""
        return replace(self, standing=standing, page=1)

    def by(self, order: Order) -> "Query":
        """Ask for another order, or the same the other way round, from the first page."""
        return replace(self, order=order, is_reversed=order is self.order and not self.is_reversed, page=1)

    def at(self, page: int) -> "Query":
        """Ask for another page."""
        return replace(self, page=page)


def _read_page(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(IMAGES_OFFSET_MOST))
    return max(int(text), 1) if is_number else 1
