"""F24: a dry run gets the verdict of a real one, is counted as what it is, and leaves nothing."""

from typing import Any

from tests.conftest import API, Gate, change

SERIES = (
    'patchgate_reviews_total{{allowed="False",decision="deny",dry_run="{}",mode="enforce",operation="CREATE",'
    'reason="PatchAvailable"}}'
)


def review(gate: Gate, *, is_dry: bool, uid: str = "u-1") -> dict[str, Any]:
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": API}]}}
    response: dict[str, Any] = gate.review(change("pod-create", uid=uid, object=pod, dryRun=is_dry)).json["response"]
    return response


def test_a_dry_run_gets_the_same_answer_and_a_label_of_its_own(gate: Gate) -> None:
    before = {is_dry: gate.metric(SERIES.format(is_dry)) for is_dry in (True, False)}
    assert review(gate, is_dry=True) == review(gate, is_dry=False)
    assert {is_dry: gate.metric(SERIES.format(is_dry)) - before[is_dry] for is_dry in before} == {True: 1, False: 1}


def test_its_denial_is_logged_as_a_dry_run(gate: Gate) -> None:
    for is_dry in (True, False):
        review(gate, is_dry=is_dry, uid=f"dry {is_dry}")
    gate.wait_until(lambda: len(find_denials(gate)) == 2)
    assert find_denials(gate) == {"dry True": True, "dry False": False}


def find_denials(gate: Gate) -> dict[str, bool]:
    """Uid → dry_run, of this test's own: lines are gathered, and those of the one before may come as late."""
    return {line["uid"]: line["dry_run"] for line in gate.events("denied") if line["uid"].startswith("dry ")}
