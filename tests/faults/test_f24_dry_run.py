"""F24: a dry run gets the verdict of a real one, is counted as what it is, and leaves nothing."""

from typing import Any

from tests.conftest import API, Gate, change

SERIES = (
    'patchgate_reviews_total{{allowed="False",decision="deny",dry_run="{}",mode="enforce",operation="CREATE",'
    'reason="PatchAvailable"}}'
)


def review(gate: Gate, *, is_dry: bool) -> dict[str, Any]:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": API}]}}
    response: dict[str, Any] = gate.review(change("pod-create", uid="u-1", object=pod, dryRun=is_dry)).json["response"]
    return response


def test_a_dry_run_gets_the_same_answer_and_a_label_of_its_own(gate: Gate) -> None:
    before = {is_dry: gate.metric(SERIES.format(is_dry)) for is_dry in (True, False)}
    assert review(gate, is_dry=True) == review(gate, is_dry=False)
    assert {is_dry: gate.metric(SERIES.format(is_dry)) - before[is_dry] for is_dry in before} == {True: 1, False: 1}


def test_its_denial_is_logged_as_a_dry_run(gate: Gate) -> None:
    heard = len(gate.events("denied"))
    review(gate, is_dry=True)
    gate.wait_until(lambda: len(gate.events("denied")) > heard)
    assert gate.events("denied")[-1]["dry_run"] is True
