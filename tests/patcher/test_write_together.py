"""Steps of many threads: those that wait are written at once, and each caller hears of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.record_book import RecordBook, read_book
from patchgate.errors import FullError, StoreError, UnreachableError
from patchgate.limits import CONFIGMAP_BYTES
from patchgate.patcher.image import Target
from patchgate.patcher.record_books import Books, Edit, change_record
from patchgate.patcher.transition import record_failure
from patchgate.patcher.write_together import Writer
from patchgate.policy.policy import Naming
from patchgate.policy.record import Record
from tests.patcher.images import attempt
from tests.world import NOW, digest, record, records

FIRST, SECOND = "copa-patched-digests", "copa-patched-digests-1"
IN_FIRST, IN_SECOND, NEW = "a.io/first:1", "a.io/second:1", "a.io/new:1"
WAIT_SECONDS = 60.0
TOO_LONG = "x" * CONFIGMAP_BYTES
Hold = Callable[[], AbstractContextManager[object]]


@dataclass
class Shelf:
    """Two ConfigMaps in memory, each with a record.

    Attributes:
        refused: name → what a write of it raises.
        writes: the names, in order.
    """

    held: dict[str, ConfigMap] = field(
        default_factory=lambda: {
            FIRST: records({IN_FIRST: record()}),
            SECOND: records({IN_SECOND: record()}, name=SECOND),
        }
    )
    refused: dict[str, Exception] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)

    def read(self) -> list[RecordBook]:
        return [read_book(each, Naming(), NOW) for each in self.held.values()]

    def write(self, edit: Edit) -> None:
        if edit.name in self.refused:
            raise self.refused[edit.name]
        self.writes.append(edit.name)
        self.held[edit.name] = replace(self.held[edit.name], data={**self.held[edit.name].data, **edit.data})

    def read_messages(self) -> dict[str, str]:
        return {key: each.message for book in self.read() for key, each in book.part.records.items()}


def fail(before: Record | None, image: str, message: str = "time-out") -> Record:
    repository, _, tag = image.rpartition(":")
    target = Target(repository, tag, None, repository, None)
    return replace(record_failure(before, replace(attempt(), target=target), "", NOW), message=message)


def change(image: str, message: str = "time-out") -> Callable[[Books], tuple[Books, Record]]:
    return lambda books: change_record(books, image, partial(fail, image=image, message=message))


def take_together(
    shelf: Shelf, *steps: Callable[[Books], tuple[Books, Any]], hold: Hold = nullcontext
) -> list["Future[Any]"]:
    """Have so many threads take a step each, while all of them wait; give what each is told."""

    def wait_for_all() -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(writer._waiting) < len(steps) and time.monotonic() < deadline:  # noqa: SLF001 -- what waits
            time.sleep(0.001)

    def take(step: Callable[[Books], tuple[Books, Any]], told: "Future[Any]") -> None:
        try:
            told.set_result(writer.take(step))
        except BaseException as error:  # noqa: BLE001 -- what it is told
            told.set_exception(error)

    writer = Writer(shelf.read, shelf.write, hold, wait_for_all)
    all_told: list[Future[Any]] = []
    for step in steps:
        all_told.append(Future())
        threading.Thread(target=take, args=(step, all_told[-1]), daemon=True).start()
        while len(writer._waiting) < len(all_told) and not all_told[0].done():  # noqa: SLF001 -- in this order
            time.sleep(0.001)
    wait(all_told, WAIT_SECONDS)
    return all_told


def test_what_waits_is_one_write_and_each_is_told_its_own() -> None:
    shelf = Shelf()
    images = [f"a.io/app-{number}:1" for number in range(8)]
    told = take_together(shelf, *(change(image, f"of {image}") for image in images))
    assert [each.result().message for each in told] == [f"of {image}" for image in images]
    assert shelf.writes == [FIRST]
    assert shelf.read()[0].part.generation == 2
    assert shelf.read_messages().items() >= {image: f"of {image}" for image in images}.items()


def test_two_changes_of_one_record_are_one_after_the_other() -> None:
    def add(before: Record | None) -> Record:
        assert before
        return replace(before, message=before.message + "+")

    shelf = Shelf({FIRST: records({IN_FIRST: record(message="")})})
    told = take_together(shelf, *[lambda books: change_record(books, IN_FIRST, add)] * 3)
    assert sorted(each.result().message for each in told) == ["+", "++", "+++"]
    assert shelf.read_messages() == {IN_FIRST: "+++"}
    assert shelf.writes == [FIRST]


def test_a_step_that_raises_fails_its_caller_alone() -> None:
    shelf = Shelf()
    told = take_together(
        shelf, change(IN_FIRST), lambda books: change_record(books, NEW, partial(fail, image=IN_FIRST))
    )
    assert told[0].result().message == "time-out"
    with pytest.raises(ValueError, match=f"the record of {NEW} became one of {IN_FIRST}"):
        told[1].result()
    assert NEW not in shelf.read_messages()


def test_a_configmap_that_cannot_be_written_fails_those_whose_records_it_has() -> None:
    shelf = Shelf(refused={FIRST: StoreError("may not update")})
    told = take_together(shelf, change(IN_FIRST), change(IN_SECOND), change(NEW))
    for failed in (told[0], told[2]):
        with pytest.raises(StoreError, match="may not update"):
            failed.result()
    assert told[1].result().message == "time-out"
    assert (shelf.writes, shelf.read_messages()[IN_SECOND]) == ([SECOND], "time-out")


def test_a_line_stays_until_the_record_that_takes_its_place_is_written() -> None:
    line = f"a.io/new@{digest('new')}  # clean {NEW} on 20260508"
    second = records({IN_SECOND: record()}, name=SECOND, digests=[line])
    shelf = Shelf(Shelf().held | {SECOND: second}, refused={FIRST: StoreError("gone")})
    take_together(shelf, change(NEW), change(IN_SECOND))
    assert shelf.writes == [SECOND]
    assert line in shelf.held[SECOND].data["digests.txt"]
    shelf.refused.clear()
    take_together(shelf, change(NEW))
    take_together(shelf, change(IN_SECOND))
    assert line not in shelf.held[SECOND].data["digests.txt"]
    assert shelf.read()[0].part.records[NEW].approved, "taken over from the line"


def test_what_has_no_room_fails_alone() -> None:
    shelf = Shelf()
    told = take_together(shelf, change(IN_FIRST, "a"), change(NEW, TOO_LONG), change(IN_SECOND, "b"))
    assert (told[0].result().message, told[2].result().message) == ("a", "b")
    with pytest.raises(FullError, match=f"{FIRST} is full, 1048576 bytes: take images off the list, or split it"):
        told[1].result()
    assert shelf.read_messages() == {IN_FIRST: "a", IN_SECOND: "b"}


def test_where_nobody_answers_no_other_write_is_tried() -> None:
    tries: list[str] = []

    class Gone(Shelf):
        def write(self, edit: Edit) -> None:
            tries.append(edit.name)
            raise UnreachableError("nobody there")

    for told in take_together(Gone(), change(IN_FIRST), change(IN_SECOND)):
        assert isinstance(told.exception(0), UnreachableError)
    assert tries == [FIRST]


def test_what_is_too_large_already_may_shrink() -> None:
    shelf = Shelf()
    take_together(shelf, change(IN_FIRST, "long"))
    shelf.held[FIRST] = replace(shelf.held[FIRST], data={**shelf.held[FIRST].data, "notes.txt": TOO_LONG})
    (told,) = take_together(shelf, change(IN_FIRST, ""))
    assert told.result(0).message == ""
    (told,) = take_together(shelf, change(IN_FIRST, "longer"))
    with pytest.raises(FullError, match="is full"):
        told.result(0)


def test_who_saw_what_was_not_written_is_not_told_of_it() -> None:
    def look(books: Books) -> tuple[Books, str]:
        return books, books[0].part.records[IN_FIRST].message

    shelf = Shelf(refused={FIRST: StoreError("conflict")})
    told = take_together(shelf, change(IN_FIRST, "never written"), look)
    with pytest.raises(StoreError, match="conflict"):
        told[1].result(0)


def test_a_thread_that_is_interrupted_while_it_writes_for_others_leaves_none_of_them_waiting() -> None:
    interruptions = iter([KeyboardInterrupt()])

    @contextmanager
    def hold() -> Iterator[None]:
        for interruption in interruptions:
            raise interruption
        yield

    for told in take_together(Shelf(), change(IN_FIRST), change(IN_SECOND), hold=hold):
        assert isinstance(told.exception(0), KeyboardInterrupt)


def test_a_step_that_changes_nothing_writes_nothing() -> None:
    shelf = Shelf()
    assert Writer(shelf.read, shelf.write, nullcontext).take(lambda books: (books, "held")) == "held"
    assert shelf.writes == []


def test_threads_without_end_are_all_served() -> None:
    shelf = Shelf()
    writer = Writer(shelf.read, shelf.write, nullcontext)
    served = threading.Semaphore(0)

    def work(number: int) -> None:
        for turn in range(5):
            writer.take(change(f"a.io/app-{number}:{turn}"))
            served.release()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert all(served.acquire(blocking=False) for _ in range(40))
    assert len(shelf.read_messages()) == 42
