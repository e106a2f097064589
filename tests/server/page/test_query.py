"""What an address asks of the table: read, written again, and never a fault."""

import pytest

from patchgate.server.page.entry import Standing
from patchgate.server.page.query import Order, Query


@pytest.mark.parametrize(
    ("parameters", "query"),
    [
        ({}, Query()),
        ({"search": "  shop Api "}, Query(text="shop Api")),
        (
            {"standing": "breached", "sort": "-verified", "page": "3"},
            Query("", Standing.BREACHED, Order.VERIFIED, is_reversed=True, page=3),
        ),
        ({"standing": "none", "sort": "colour", "page": "x"}, Query()),
        ({"sort": "--image", "page": "-1"}, Query(is_reversed=True)),
        ({"page": "0"}, Query()),
        ({"page": "٣"}, Query()),
        ({"page": "9" * 5000}, Query()),
        ({"search": "a" * 5000}, Query(text="a" * 200)),
    ],
)
def test_nonsense_does_not_count(parameters: dict[str, str], query: Query) -> None:
    assert Query.read(parameters) == query


@pytest.mark.parametrize(
    ("query", "link"),
    [
        (Query(), "./"),
        (Query(text="a b&c=<d>"), "./?search=a+b%26c%3D%3Cd%3E"),
        (Query("", Standing.STALE, Order.IMAGE, is_reversed=True, page=2), "./?standing=stale&sort=-image&page=2"),
    ],
)
def test_a_link_says_only_what_is_not_understood_by_itself(query: Query, link: str) -> None:
    assert query.link == link


def test_another_question_begins_at_the_first_page() -> None:
    query = Query("shop", Standing.STALE, Order.IMAGE, page=4)
    assert query.of(None) == Query("shop", None, Order.IMAGE)
    assert query.by(Order.VERIFIED) == Query("shop", Standing.STALE, Order.VERIFIED)
    assert query.at(5) == Query("shop", Standing.STALE, Order.IMAGE, page=5)


def test_the_order_that_is_asked_for_again_is_turned_round() -> None:
    once = Query().by(Order.IMAGE)
    assert (once.sort, once.by(Order.IMAGE).sort, once.by(Order.IMAGE).by(Order.IMAGE).sort) == (
        "image",
        "-image",
        "image",
    )
