"""Downloading the scanner's database: how long is waited, by what a registry says, and when it is given up."""

import threading
from dataclasses import dataclass, field

import pytest

from patchgate.limits import DATABASE_UPDATE_SECONDS
from patchgate.patcher.program import Ending, Finished
from patchgate.patcher.trivy_database import DATABASE_TRIES, MOST_PAUSE_SECONDS, DatabaseUpdate, read_pause

DONE = Finished(Ending.EXITED, 0, "", "")
LIMITED = Finished(Ending.EXITED, 1, "", "FATAL TOOMANYREQUESTS: too many requests")
DENIED = Finished(Ending.EXITED, 1, "", "FATAL DENIED: requested access to the resource is denied")
ENDED = Finished(Ending.STOPPED, -15, "", "")


class Waits(threading.Event):
    """Notes how long is waited, and lets the time pass at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


@dataclass
class Registries:
    """Answers downloads one after another, the last one ever after."""

    answers: list[Finished]
    pause: float | None = None
    asked: list[str] = field(default_factory=list)
    waits: Waits = field(default_factory=Waits)

    def download(self, repository: str, limit_seconds: float) -> Finished:
        assert limit_seconds >= 1
        self.asked.append(repository)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def run(self, *repositories: str) -> Finished:
        update = DatabaseUpdate(self.download, lambda _: self.pause, self.waits, clock=lambda: sum(self.waits.seconds))
        return update.run(repositories)


def test_what_a_registry_asks_for_is_waited() -> None:
    registries = Registries([LIMITED, DONE], pause=42)
    assert registries.run() == DONE
    assert registries.waits.seconds == [42]


def test_pauses_grow_where_no_registry_says_how_long() -> None:
    registries = Registries([LIMITED])
    assert registries.run("a.example/db") == LIMITED
    assert registries.waits.seconds == [5, 10, 20]
    assert len(registries.asked) == DATABASE_TRIES


def test_a_longer_pause_than_a_run_can_wait_is_not_waited() -> None:
    registries = Registries([LIMITED], pause=MOST_PAUSE_SECONDS + 1)
    assert registries.run() == LIMITED
    assert (registries.waits.seconds, len(registries.asked)) == ([], 1)


def test_all_tries_together_have_their_time() -> None:
    registries = Registries([LIMITED], pause=MOST_PAUSE_SECONDS)
    registries.waits.seconds.append(0)
    registries.run()
    assert sum(registries.waits.seconds) <= DATABASE_UPDATE_SECONDS


def test_what_will_not_pass_is_not_tried_again_and_other_mirrors_are() -> None:
    registries = Registries([DENIED])
    assert registries.run("a.example/db", "b.example/db") == DENIED
    assert (registries.asked, registries.waits.seconds) == (["a.example/db", "b.example/db"], [])


@pytest.mark.parametrize("answers", [[ENDED], [LIMITED, ENDED]])
def test_a_stop_ends_it(answers: list[Finished]) -> None:
    registries = Registries(list(answers))
    assert registries.run() == ENDED


def test_a_stop_while_it_waits_ends_it() -> None:
    registries = Registries([LIMITED])
    registries.waits.set()
    assert registries.run() == LIMITED
    assert len(registries.asked) == 1


@pytest.mark.parametrize(
    ("errors", "seconds"),
    [
        ("TOOMANYREQUESTS: retry-after: 1.5s, allowed: 44000/minute", 1.5),
        ("retry-after: 250ms", 0.25),
        ("Retry-After: 30", 30),
        ("retry-after: 2m", 120),
        ("retry-after: soon", None),
        ("retry-after: 1.2.3s", None),
        ("too many requests", None),
    ],
)
def test_what_trivy_shows_of_it_is_read(errors: str, seconds: float | None) -> None:
    assert read_pause(errors) == seconds
