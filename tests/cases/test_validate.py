"""Every case that is a review, asked of `POST /validate/enforce`."""

import pytest

from tests.cases.conftest import FindGate
from tests.cases.reading import ReviewCase, read_reviews

REVIEWS = read_reviews()


@pytest.mark.parametrize("case", REVIEWS, ids=lambda case: case.name)
def test_a_review_is_answered_as_its_case_says(case: ReviewCase, find_gate: FindGate) -> None:
    response = find_gate(case).review(case.review).json["response"]
    assert (response["uid"], response["allowed"]) == (case.request["uid"], case.allowed)
    if not case.allowed:
        assert response["status"]["reason"] == case.reason
    warnings = response.get("warnings", [])
    assert bool(warnings) == bool(case.warnings)
    for expected in case.warnings:
        assert any(expected in warning for warning in warnings)
    annotations = response.get("auditAnnotations", {})
    assert {key: annotations.get(key) for key in case.audit} == case.audit
