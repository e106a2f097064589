"""The table: how each image stands, in which order, on which page."""

from datetime import timedelta

import pytest

from patchgate.server.page.entry import Standing
from patchgate.server.page.index import Index
from patchgate.server.page.query import Order, Query
from patchgate.server.page.row import Row
from patchgate.server.page.stretch import cut_out
from patchgate.server.page.table import Table, make_table
from tests.server.page.images import (
    BY_URGENCY,
    CLEAN,
    DONE,
    FAILED,
    LATE,
    LATER,
    NEW,
    OLD,
    SCRATCH,
    SOON,
    STALE,
    every_standing,
    index_of,
)
from tests.world import NOW, digest, exceptions, hours_ago, image_list, patched, record, records, snapshot


@pytest.fixture(scope="module")
def index() -> Index:
    return index_of(every_standing())


def ask(index: Index, query: Query | None = None, *, hours: float = 0) -> Table:
    return make_table(index, query or Query(), NOW + timedelta(hours=hours))


def names(table: Table) -> list[str]:
    return [row.image for row in table.rows]


def find(index: Index, image: str) -> Row:
    return next(row for row in ask(index).rows if row.image == image)


def test_what_is_refused_comes_first_and_then_what_will_be(index: Index) -> None:
    assert names(ask(index)) == BY_URGENCY
    assert names(ask(index, Query(is_reversed=True))) == BY_URGENCY[::-1]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.IMAGE, [CLEAN, DONE, FAILED, LATE, LATER, NEW, OLD, SCRATCH, SOON, STALE]),
        (Order.FINDINGS, [DONE]),
        (Order.VERIFIED, [FAILED, LATE, LATER, NEW, SCRATCH, SOON, STALE, OLD, CLEAN, DONE]),
        (Order.FIRST_SEEN, [NEW]),
    ],
)
def test_it_comes_in_the_order_that_is_asked_for(index: Index, order: Order, first: list[str]) -> None:
    listed = names(ask(index, Query(order=order)))
    assert listed[: len(first)] == first
    assert names(ask(index, Query(order=order, is_reversed=True))) == listed[::-1]


@pytest.mark.parametrize(
    ("standing", "images"),
    [
        (Standing.BREACHED, [LATER, LATE]),
        (Standing.STALE, [STALE]),
        (Standing.WAITING, [FAILED, SOON]),
        (Standing.UNPATCHABLE, [SCRATCH]),
        (Standing.UNSCANNED, [NEW]),
        (Standing.APPROVED, [OLD, CLEAN, DONE]),
    ],
)
def test_a_filter_shows_those_that_stand_so_in_any_order(index: Index, standing: Standing, images: list[str]) -> None:
    assert names(ask(index, Query(standing=standing))) == images
    assert names(ask(index, Query(standing=standing, order=Order.IMAGE))) == sorted(images)


def test_the_filters_count_what_they_show(index: Index) -> None:
    assert {each.label: each.count for each in ask(index).filters} == {
        "all": 10,
        "past the SLA": 2,
        "stale": 1,
        "within the SLA": 2,
        "unpatchable": 1,
        "not scanned": 1,
        "approved": 3,
    }


@pytest.mark.parametrize(
    ("text", "images"),
    [("LATE", [LATER, LATE]), ("403", [LATER]), ("team late 403", [LATER]), ("no packages", [SCRATCH]), ("<b>", [])],
)
def test_a_search_wants_every_word_in_the_name_or_the_message(index: Index, text: str, images: list[str]) -> None:
    assert names(ask(index, Query(text=text))) == images


def test_time_goes_on_in_an_index_as_in_the_decision(index: Index) -> None:
    later = ask(index, hours=5)
    assert [(row.image, row.word) for row in later.rows[:5]] == [
        (LATER, "past SLA"),
        (LATE, "past SLA"),
        (FAILED, "past SLA"),
        (STALE, "stale"),
        (OLD, "stale"),
    ]
    assert next(row for row in later.rows if row.image == OLD).approved is None


@pytest.mark.parametrize("hours", [0, 3, 4, 4.0001, 22.5, 23, 23.01, 60])
def test_at_any_time_it_counts_as_an_index_made_then(hours: float) -> None:
    world, then = every_standing(), NOW + timedelta(hours=hours)
    assert index_of(world).count(then) == Index.build(world, then).count(then)


def test_an_instant_belongs_to_the_same_side_as_in_the_decision(index: Index) -> None:
    """An SLA is over at its end; an approval is fresh at its end."""
    assert index.count(NOW + timedelta(hours=4))[Standing.BREACHED] == 3
    assert index.count(NOW + timedelta(hours=4))[Standing.STALE] == 1


@pytest.mark.parametrize(
    ("image", "word", "left", "share"),
    [
        (LATER, "past SLA", "2 d 8 h over", 0),
        (STALE, "stale", "6 h stale", 0),
        (SOON, "pending", "23 h left", 0.958),
        (FAILED, "failed", "4 h left", 0.167),
        (DONE, "patched", "fresh 23 h", 0.958),
        (CLEAN, "clean", "fresh 22 h", 0.917),
    ],
)
def test_a_row_says_the_time_left(index: Index, image: str, word: str, left: str, share: float) -> None:
    row = find(index, image)
    assert row.left
    assert (row.word, row.left.text, row.left.share) == (word, left, share)


@pytest.mark.parametrize(("image", "word"), [(SCRATCH, "unpatchable"), (NEW, "not scanned")])
def test_where_no_clock_runs_it_says_why(index: Index, image: str, word: str) -> None:
    row = find(index, image)
    assert (row.word, row.left, row.approved) == (word, None, None)
    assert row.message


def test_a_row_names_what_to_use_and_what_patching_did(index: Index) -> None:
    row = find(index, DONE)
    assert row.approved
    assert row.findings
    assert row.approved.reference == f"{DONE}-patched-20260509@{digest('done done')}"
    assert row.approved.tag == "1-patched-20260509"
    assert (row.findings.before, row.findings.after, row.findings.grave) == (7, 0, "2 critical, 5 low")
    assert row.message == ""


def test_an_approved_image_whose_last_run_failed_says_so(index: Index) -> None:
    row = find(index, OLD)
    assert (row.word, row.notes) == ("patched", ("last run failed",))
    assert row.message


@pytest.mark.parametrize(
    ("image", "namespaces", "expires", "notes"),
    [
        (LATE, " namespaces: [shop, 'team-*'],", hours_ago(-24), ("excepted in shop, team-* until 2026-05-10",)),
        (LATE, "", hours_ago(-24), ("excepted until 2026-05-10",)),
        ("registry.example.com/**", "", hours_ago(-24), ("excepted until 2026-05-10",)),
        (LATE, "", hours_ago(1), ()),
        (LATER, "", hours_ago(-24), ()),
        (f"{LATE}@{digest('other')}", "", hours_ago(-24), ()),
    ],
)
def test_a_late_image_that_is_excepted_says_where_and_how_long(
    image: str, namespaces: str, expires: str, notes: tuple[str, ...]
) -> None:
    text = f"- {{image: '{image}',{namespaces} reason: a, owner: b, expires: '{expires}'}}\n"
    world = snapshot(
        image_list(LATE, f"{NEW}.*"), records({LATE: record(first_vulnerable=hours_ago(30))}), exceptions(text)
    )
    listed = {row.image: row.notes for row in ask(index_of(world)).rows}
    assert listed[LATE] == notes


def test_an_approval_in_another_repository_is_named_whole() -> None:
    target = "registry.example.com/patched/nginx:1.25-patched-20260509"
    world = snapshot(
        image_list("nginx:1.25", push_to="docker.io/library = registry.example.com/patched"),
        records({"docker.io/library/nginx:1.25": patched(target)}),
    )
    row = ask(index_of(world)).rows[0]
    assert row.approved
    assert (row.name.registry, row.name.path, row.approved.tag) == ("docker.io", "library/nginx", target)


def test_a_line_with_a_digest_is_named_with_it() -> None:
    world = snapshot(image_list(f"registry.example.com/app:1@{digest('pin')}"), records())
    name = ask(index_of(world)).rows[0].name
    assert (name.path, name.tag, name.digest) == ("app", "1", digest("pin")[:19])


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_page_goes_on_from_one_standing_to_the_next(index: Index, *, is_reversed: bool) -> None:
    stretches = index.select(Query(is_reversed=is_reversed), NOW)
    images = BY_URGENCY[::-1] if is_reversed else BY_URGENCY
    for start in range(len(images) + 1):
        for stop in range(start, len(images) + 1):
            assert [entry.tracked.image for entry in cut_out(stretches, start, stop)] == images[start:stop]


def test_every_image_is_let_go_of() -> None:
    index = index_of(every_standing())
    ask(index, Query(order=Order.FINDINGS))
    index.clear(iter)
    assert names(ask(index)) == []
    assert names(ask(index, Query(order=Order.FINDINGS))) == []


@pytest.fixture(scope="module")
def many() -> Index:
    lines = [f"registry.example.com/team/app-{number:03}:1" for number in range(120)]
    return index_of(snapshot(image_list(*lines), records()))


@pytest.mark.parametrize(
    ("page", "first", "last", "turns"),
    [
        (1, 1, 50, [None, None, "./?page=2", "./?page=3"]),
        (2, 51, 100, ["./", "./", "./?page=3", "./?page=3"]),
        (3, 101, 120, ["./", "./?page=2", None, None]),
        (99, 101, 120, ["./", "./?page=2", None, None]),
    ],
)
def test_it_comes_in_pages(many: Index, page: int, first: int, last: int, turns: list[str | None]) -> None:
    table = ask(many, Query(page=page))
    assert (table.first, table.last, table.pages, len(table.rows)) == (first, last, 3, last - first + 1)
    assert [turn.link for turn in table.turns] == turns


def test_no_image_is_a_page_as_well() -> None:
    table = ask(index_of(snapshot(image_list(), records())))
    assert (table.rows, table.first, table.last, table.page, table.pages) == ((), 0, 0, 1, 1)


def test_the_column_that_sorts_says_so(index: Index) -> None:
    def heads(query: Query) -> dict[str, str]:
        return {column.label: column.sorted for column in ask(index, query).columns if column.sorted}

    assert heads(Query()) == {"Time left": "ascending"}
    assert heads(Query(order=Order.FINDINGS)) == {"Findings": "descending"}
    assert heads(Query(order=Order.IMAGE, is_reversed=True)) == {"Image": "descending"}


def test_a_record_that_is_overruled_by_another_tags_scan_has_its_clock() -> None:
    """Whatever the record's word is: where the decision counts no approval, the page shows none."""
    by_key = {
        "registry.example.com/app:1": patched("registry.example.com/app:1-patched-20260509"),
        "registry.example.com/app:2": patched(
            "registry.example.com/app:2-patched-20260509",
            source_digest=digest("patched"),
            approved_digest=digest("better"),
            approved_platforms={},
            first_vulnerable=hours_ago(2),
        ),
    }
    world = snapshot(image_list(*by_key), records(by_key))
    row = next(row for row in ask(index_of(world)).rows if row.name.tag == "1")
    assert (row.standing, row.approved) == (Standing.WAITING, None)
