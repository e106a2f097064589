"""F12: deciding fails a thousand times: each review is answered, the next one is decided, and nothing piles up."""

import json
from http.client import HTTPSConnection

from tests.conftest import API, Gate, change
from tests.faults.composed_gate import SPOILT
from tests.faults.conftest import ComposedRunner, read_resident_bytes

FAILURES = 1000
GROWTH = 1.1
"""Resident memory after ÷ before. A traceback that was kept holds frames, review and body: 20 KB and more, so that a
thousand would be a fifth of the 100 MB that a gate has."""


def review(connection: HTTPSConnection, image: str) -> tuple[int, str]:
    """The status of the answer and the reason of the denial."""
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": image}]}}
    body = json.dumps(change("pod-create", object=pod))
    connection.request("POST", "/validate/enforce?timeout=30s", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    return response.status, answer["response"]["status"]["reason"]


def fail(gate: Gate, times: int) -> None:
    connection = gate.connect()
    for _ in range(times):
        assert review(connection, SPOILT) == (200, "InternalError")
        assert review(connection, API) == (200, "PatchAvailable")
    connection.close()


def test_a_thousand_defects_cost_one_answer_each_and_no_memory(run_composed: ComposedRunner) -> None:
    with run_composed() as composed:
        gate = composed.gate
        fail(gate, FAILURES // 4)
        before = read_resident_bytes(gate)
        fail(gate, FAILURES)
        assert read_resident_bytes(gate) <= GROWTH * before
        assert gate.metric('patchgate_errors_total{where="review"}') == FAILURES // 4 + FAILURES
        assert gate.ask("GET", "/livez").status == 200
        assert gate.ask("GET", "/readyz").status == 200
        assert gate.stop() == 0
    assert len(gate.events("a defect of patchgate")) == FAILURES // 4 + FAILURES
