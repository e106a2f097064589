"""Steps taken one after another and written once come to what they come to when each is written by itself."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from patchgate.configmaps.claims import Claim
from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.record_book import RecordBook, count_bytes, read_book
from patchgate.limits import RECORDS_BYTES
from patchgate.patcher.attempt import Attempt
from patchgate.patcher.claims import claim_tag, release_tag
from patchgate.patcher.image import Target
from patchgate.patcher.record_books import Books, Step, change_record, end_run, write_changed
from patchgate.patcher.transition import record_clean, record_failure, record_patched, record_pending
from patchgate.policy.mirror import Mirror, Mirrors
from patchgate.policy.policy import Naming
from patchgate.policy.record import Record
from tests.patcher.images import approval, attempt, manifest
from tests.world import NAMES, NOW, clean, digest, hours_ago, image_list, patched, record, records, snapshot

FIRST, SECOND = NAMES.records, f"{NAMES.records}-1"
MIRRORED = Naming(mirrors=Mirrors.of([Mirror("mirror.example.com", "registry.example.com")]))
IMAGES = [f"registry.example.com/app-{number}:1" for number in range(5)]
OLD = "registry.example.com/old:1"
WORLD = snapshot(image_list(*IMAGES))


def make_shelf() -> dict[str, ConfigMap]:
    """Two ConfigMaps with all that may stand there: records, a mirror's name, unknown fields, lines, comments."""
    by_key = {
        IMAGES[0]: patched(f"{IMAGES[0]}-patched-20260508") | {"note": "of somebody"},
        "mirror.example.com/app-1:1": clean(IMAGES[1]),
        OLD: record(updated=hours_ago(40 * 24)),
    }
    lines = ["# ours", f"registry.example.com/app-3@{digest('three')}  # clean {IMAGES[3]} on 20260508"]
    first = records(by_key, digests=lines, team="a")
    return {
        FIRST: replace(first, data={**first.data, "notes.txt": "x"}),
        SECOND: records({IMAGES[2]: record()}, name=SECOND),
    }


def read(shelf: dict[str, ConfigMap]) -> Books:
    return tuple(read_book(each, MIRRORED, NOW) for each in shelf.values())


def take(shelf: dict[str, ConfigMap], steps: Sequence[Step[Any]]) -> tuple[dict[str, ConfigMap], list[Any]]:
    """Take the steps and write what changed, once."""
    before = books = read(shelf)
    answers = []
    for step in steps:
        books, answer = step(books)
        answers.append(answer)
    edits = [write_changed(before, new) for old, new in zip(before, books, strict=True) if new is not old]
    written = {each.name: replace(shelf[each.name], data={**shelf[each.name].data, **each.data}) for each in edits}
    return shelf | written, answers


def of(image: str) -> Attempt:
    repository, _, tag = image.rpartition(":")
    return replace(attempt(manifest(image)), target=Target(repository, tag, None, repository, None))


def change(image: str, transit: Callable[..., Record], **more: object) -> Step[Record]:
    made = partial(transit, attempt=of(image), message="said", now=NOW, **more)
    return lambda books: change_record(books, image, made)


def approve(image: str) -> Step[Record]:
    repository = image.rpartition(":")[0]
    return change(image, record_patched, approval=replace(approval("20260509"), repository=repository))


IMAGE = st.sampled_from(IMAGES)
HOLDER = st.sampled_from(["one", "other"])
CLAIM = Claim("", NOW + timedelta(seconds=60))
STEPS: st.SearchStrategy[Step[Any]] = st.one_of(
    st.builds(change, IMAGE, st.sampled_from([record_failure, record_clean, record_pending])),
    st.builds(approve, IMAGE),
    st.builds(
        lambda tag, who: lambda books: claim_tag(books, tag, replace(CLAIM, holder=who), None, NOW), IMAGE, HOLDER
    ),
    st.builds(lambda tag, who: lambda books: release_tag(books, tag, who), IMAGE, HOLDER),
    st.booleans().map(lambda may_drop: lambda books: end_run(books, WORLD, NOW, may_drop=may_drop)),
)


def describe(book: RecordBook) -> tuple[object, ...]:
    """Tell what a ConfigMap holds, but for how often it was written."""
    return book.part.records, book.part.last_run, book.entries, book.other_fields, book.lines, book.other_bytes


@given(st.lists(STEPS, max_size=6))
@settings(max_examples=200, deadline=None)
def test_together_is_as_one_after_the_other(steps: list[Step[Any]]) -> None:
    alone, told = make_shelf(), []
    for step in steps:
        alone, answers = take(alone, [step])
        told += answers
    together, answers = take(make_shelf(), steps)
    assert answers == told
    assert list(map(describe, read(together))) == list(map(describe, read(alone)))


@given(st.lists(STEPS, min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_the_size_is_known_about_before_it_is_written(steps: list[Step[Any]]) -> None:
    shelf = make_shelf()
    books = read(shelf)
    for step in steps:
        books, _ = step(books)
    shelf, _ = take(shelf, steps)
    for book, configmap in zip(books, shelf.values(), strict=True):
        assert abs(book.size_bytes - count_bytes(configmap.data)) < 1500


def test_new_records_of_one_write_go_to_the_next_configmap_once_the_first_has_no_room() -> None:
    shelf = {name: records({}, name=name) for name in (FIRST, SECOND)}
    room = RECORDS_BYTES - count_bytes(shelf[FIRST].data) - 4000
    shelf[FIRST] = replace(shelf[FIRST], data={**shelf[FIRST].data, "notes.txt": "x" * room})
    shelf, _ = take(shelf, [change(f"registry.example.com/new-{number}:1", record_failure) for number in range(12)])
    first, second = (len(book.part.records) for book in read(shelf))
    assert first + second == 12
    assert 2 <= first <= 6
    assert count_bytes(shelf[FIRST].data) < RECORDS_BYTES + 2000


def test_what_is_dropped_goes_with_its_lines() -> None:
    shelf = make_shelf()
    line = f"registry.example.com/old@{digest('old')}  # clean {OLD} on 20260508"
    comment = f"# keep {OLD}"
    shelf[FIRST] = replace(shelf[FIRST], data={**shelf[FIRST].data, "digests.txt": f"{comment}\n{line}\n"})
    shelf, _ = take(shelf, [lambda books: end_run(books, WORLD, NOW, may_drop=True)])
    assert OLD not in read(shelf)[0].part.records
    assert shelf[FIRST].data["digests.txt"].splitlines()[0] == comment
    assert line not in shelf[FIRST].data["digests.txt"]


def test_what_cannot_be_read_whole_is_not_written_at_the_end_of_a_run() -> None:
    by_key = {OLD: record(updated=hours_ago(40 * 24)), IMAGES[0]: record()}
    second = records(by_key, name=SECOND)
    number = "9" * 5000  # Python takes no integer of over 4,300 digits, the gate's reader does
    text = second.data["records.json"].replace('{"schema"', f'{{"theirs": {number}, "schema"')
    shelf = {FIRST: records(), SECOND: replace(second, data={**second.data, "records.json": text})}
    after, _ = take(shelf, [lambda books: end_run(books, WORLD, NOW, may_drop=True)])
    assert set(read(after)[1].part.records) == set(by_key)
    assert after[SECOND] == shelf[SECOND]
