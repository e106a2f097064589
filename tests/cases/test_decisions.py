"""Every case that is a review, asked of `POST /v1/decisions` with the same object."""

import pytest

from tests.cases.conftest import FindGate
from tests.cases.reading import ReviewCase, read_reviews

REVIEWS = read_reviews()
PASSED_ON = ("object", "oldObject", "operation", "userInfo", "namespace")


@pytest.mark.parametrize("case", REVIEWS, ids=lambda case: case.name)
def test_a_question_is_decided_as_its_case_says(case: ReviewCase, find_gate: FindGate) -> None:
    answer = find_gate(case).ask("POST", "/v1/decisions", {key: case.request[key] for key in PASSED_ON}).json
    assert (answer["allowed"], answer["reason"]) == (case.allowed, case.reason)
    if case.reason == "NoImages" and case.warnings:
        assert answer["message"].startswith("no image is added, but the next Pods of this template will be refused: ")
