"""Reviews of one turn of the event loop: all are decided before the first is answered, in order, within limits."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from patchgate.limits import REVIEWS_TOGETHER, REVIEWS_TOGETHER_BYTES
from patchgate.policy.decision import Mode
from patchgate.server.admission import AdmissionApp
from patchgate.server.life import Life
from patchgate.server.reporting import Reporter
from patchgate.server.review_batch import ReviewBatch, WholeReview
from tests.conftest import SHOP, make_doors, read_recorded

REVIEW = read_recorded("pod-create")


@dataclass
class Caller:
    """A connection that keeps what it is given."""

    loop: asyncio.AbstractEventLoop
    answers: list[tuple[bytes, bool]]
    is_last: bool = False

    def take_answer(self, answer: bytes, *, keeps: bool) -> None:
        self.answers.append((answer, keeps))


@dataclass
class Turn:
    """A turn of the event loop in which reviews come."""

    batch: ReviewBatch
    life: Life
    answers: list[tuple[bytes, bool]] = field(default_factory=list)

    def add(self, body: bytes = REVIEW, *, keeps: bool = True, is_last: bool = False) -> None:
        caller = Caller(asyncio.get_running_loop(), self.answers, is_last)
        self.batch.add(WholeReview(caller, Mode.ENFORCE, body, keeps))


def run_turn(act: Callable[[Turn], None]) -> Turn:
    """Have reviews come in one turn, and let it end."""
    life = Life(0)
    turn = Turn(ReviewBatch(make_doors(*SHOP).main.admission, life), life)

    async def run() -> None:
        act(turn)
        await asyncio.sleep(0)

    asyncio.run(run())
    return turn


def read_uids(turn: Turn) -> list[str]:
    return [json.loads(answer.partition(b"\r\n\r\n")[2])["response"]["uid"] for answer, _ in turn.answers]


def write_review(uid: str) -> bytes:
    review = json.loads(REVIEW)
    review["request"]["uid"] = uid
    return json.dumps(review).encode()


def test_the_reviews_of_a_turn_are_answered_at_its_end_in_order() -> None:
    def come(turn: Turn) -> None:
        for uid in ("u-1", "u-2", "u-3"):
            turn.add(write_review(uid))
        assert turn.answers == []

    assert read_uids(run_turn(come)) == ["u-1", "u-2", "u-3"]


def test_many_of_them_do_not_wait_for_its_end() -> None:
    def come(turn: Turn) -> None:
        for _ in range(REVIEWS_TOGETHER + 1):
            turn.add()
        assert len(turn.answers) == REVIEWS_TOGETHER

    assert len(run_turn(come).answers) == REVIEWS_TOGETHER + 1


def test_a_large_one_makes_none_wait() -> None:
    def come(turn: Turn) -> None:
        turn.add()
        turn.add(REVIEW + b" " * REVIEWS_TOGETHER_BYTES)
        assert len(turn.answers) == 2

    run_turn(come)


@pytest.mark.parametrize(
    ("keeps", "is_last", "is_draining"), [(False, False, False), (True, True, False), (True, False, True)]
)
@pytest.mark.parametrize("body", [REVIEW, b"{"], ids=["decided", "refused"])
def test_a_connection_is_closed_where_caller_gate_or_life_want_it(
    body: bytes, keeps: bool, is_last: bool, is_draining: bool
) -> None:
    def come(turn: Turn) -> None:
        turn.life.is_draining = is_draining
        turn.add(body, keeps=keeps, is_last=is_last)

    ((answer, is_kept),) = run_turn(come).answers
    assert (b"\r\nconnection: close\r\n" in answer, is_kept) == (True, False)


def test_one_that_is_refused_costs_the_others_nothing() -> None:
    def come(turn: Turn) -> None:
        turn.add(write_review("u-1"))
        turn.add(b"{")
        turn.add(write_review("u-3"))

    turn = run_turn(come)
    assert [answer[9:12] for answer, _ in turn.answers] == [b"200", b"400", b"200"]
    assert [b"connection" in answer for answer, _ in turn.answers] == [False] * 3


def test_small_ones_do_not_wait_until_a_large_one_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[int] = []

    def come(turn: Turn) -> None:
        decide = AdmissionApp.answer_review

        def look(admission: AdmissionApp, mode: Mode, body: bytes) -> bytes:
            answered.append(len(turn.answers))
            return decide(admission, mode, body)

        monkeypatch.setattr(AdmissionApp, "answer_review", look)
        turn.add()
        turn.add()
        turn.add(REVIEW + b" " * REVIEWS_TOGETHER_BYTES)

    run_turn(come)
    assert answered == [0, 0, 2]


def test_one_whose_failure_cannot_even_be_told_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Reporter, "tell_failure", fail)

    def come(turn: Turn) -> None:
        decide = AdmissionApp.answer_review
        monkeypatch.setattr(
            AdmissionApp, "answer_review", lambda *given: fail() if given[2] == b"{" else decide(*given)
        )
        turn.add(write_review("u-1"))
        turn.add(b"{")
        turn.add(write_review("u-3"))

    assert [answer[9:12] for answer, _ in run_turn(come).answers] == [b"200", b"500", b"200"]


def test_one_whose_connection_fails_costs_the_others_nothing() -> None:
    class FailingCaller(Caller):
        def take_answer(self, answer: bytes, *, keeps: bool) -> None:
            raise RuntimeError("the handler is closed", answer, keeps)  # as uvloop says it

    def come(turn: Turn) -> None:
        turn.add(write_review("u-1"))
        turn.batch.add(WholeReview(FailingCaller(asyncio.get_running_loop(), []), Mode.ENFORCE, REVIEW, keeps=True))
        turn.add(write_review("u-3"))

    assert read_uids(run_turn(come)) == ["u-1", "u-3"]
