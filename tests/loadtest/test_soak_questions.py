"""What the soak expects of an answer is what the gate decides; and it finds fault with every other answer."""

import json
import random
from datetime import UTC, datetime

import pytest

from loadtest.soak.questions import Asked, Questions, complain_of_status, make_templates
from loadtest.worlds import LINES_PER_CONFIGMAP, list_configmaps
from patchgate.configmaps.assemble import assemble
from patchgate.configmaps.configmap import Names
from patchgate.policy.case import Asker
from patchgate.policy.decision import decide
from patchgate.policy.workload import Image

IMAGES = LINES_PER_CONFIGMAP + 500
"""A world with a main list and a labelled one: what is not listed is judged by which of them has its repository."""


def make_questions(seed: int = 1) -> Questions:
    return Questions("00000001", random.Random(seed), make_templates(), IMAGES)  # noqa: S311 -- which images, no secret


def test_what_is_expected_is_what_is_decided() -> None:
    now = datetime.now(UTC)
    snapshot = assemble(list_configmaps(IMAGES, now), (), None, Names(record_configmaps=200), now)
    asked = make_questions().choose(2000)
    decided = [decide(Image(image.name, "Always"), snapshot, Asker("shop"), now) for image in asked]
    assert [verdict.allowed for verdict in decided] == [image.is_admitted for image in asked]
    assert len({verdict.reason for verdict in decided}) >= 5


@pytest.mark.parametrize("size", ["5 KB", "40 KB", "1 MiB"])
def test_a_review_has_its_uid_and_images_in_their_places(size: str) -> None:
    question = make_questions().make_of(size)
    request = json.loads(question.body)["request"]
    assert request["uid"] == "00000001-000000000001"
    assert all(each["image"].startswith("registry.example.") for each in request["object"]["spec"]["containers"])


def answer(uid: str, allowed: bool) -> bytes:
    return json.dumps({"response": {"uid": uid, "allowed": allowed}}).encode()


def test_every_answer_to_a_review_but_the_right_one_is_a_failure() -> None:
    question = make_questions().make_of("5 KB")
    uid = json.loads(question.body)["request"]["uid"]
    complaints = {allowed: question.complain(200, answer(uid, allowed)) for allowed in (True, False)}
    assert sorted(map(bool, complaints.values())) == [False, True]
    right = complaints[False] == ""
    for status, body in ((503, answer(uid, not right)), (200, answer("another", not right)), (200, b"{"), (200, b"[]")):
        assert question.complain(status, body)


@pytest.mark.parametrize("kind", ["decisions", "gatekeeper"])
def test_an_answer_about_images_must_have_each_in_order(kind: str) -> None:
    question = make_questions().make_of(kind)
    assert question.complain(200, b"{}")
    assert question.complain(500, b"")


def test_decisions_as_they_should_be_are_no_failure() -> None:
    asked = make_questions().choose(5)
    question = make_questions().make_of("decisions")  # the same chance: the same images, but for their number
    items = [{"image": image.name, "allowed": image.is_admitted} for image in renumber(asked)]
    assert question.complain(200, json.dumps({"images": items}).encode()) == ""
    items[0]["allowed"] = not items[0]["allowed"]
    assert "got 200" in question.complain(200, json.dumps({"images": items}).encode())


def renumber(asked: list[Asked]) -> list[Asked]:
    """The names as of the first question: those never seen have its number."""
    return [Asked(image.name.replace("/app-0:", "/app-1:") if ".net/" in image.name else image.name,
                  image.is_admitted) for image in asked]  # fmt: skip


def test_a_status_that_is_not_the_expected_one_is_a_failure() -> None:
    assert complain_of_status(413, 413, b"") == ""
    assert complain_of_status(413, 200, b"x") == "expected status 413; got 200 b'x'"


def test_every_kind_is_asked() -> None:
    questions = make_questions()
    kinds = {questions.make().kind.partition(",")[0] for _ in range(3000)}
    assert kinds == {"review of 5 KB", "review of 40 KB", "review of 1 MiB", "/v1/decisions", "/v1/gatekeeper"}
