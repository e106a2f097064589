"""F21: the event loop stands still: liveness does not answer, so that the kubelet restarts the gate."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import API, Gate, change, read_recorded
from tests.faults.composed_gate import STALLING
from tests.faults.conftest import ComposedRunner

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n"


def test_liveness_is_silent_while_the_loop_stands_still_and_answers_when_it_turns(run_composed: ComposedRunner) -> None:
    with run_composed() as composed, composed.gate.open_tls() as probe:
        gate = composed.gate
        (composed.control / "stall").touch()
        asking = threading.Thread(target=gate.ask, args=("POST", "/v1/decisions", {"images": [STALLING]}))
        asking.start()
        try:
            gate.wait_until((composed.control / "stalled").exists)
            probe.sendall(LIVEZ)
            probe.settimeout(1)
            with pytest.raises(TimeoutError):
                probe.recv(1)
        finally:
            (composed.control / "stall").unlink()
            asking.join()
        probe.settimeout(20)
        assert probe.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def make_large() -> bytes:
    """A review of 3 MiB: an UPDATE of a Pod that is as large as etcd takes."""
    blob = [{"name": "BLOB", "value": "x" * 1_500_000}]
    container = {"name": "main", "image": API, "env": blob}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    old = {**pod, "spec": {"containers": [{**container, "image": "busybox"}]}}
    return json.dumps(change("pod-update-image", object=pod, oldObject=old)).encode()


def test_reviews_of_3_mib_keep_no_small_one_and_no_probe_from_its_answer(gate: Gate) -> None:
    large, small = make_large(), read_recorded("pod-create")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(gate.review, large) for _ in range(40)]
        for _ in range(20):
            assert gate.review(small).json["response"]["status"]["reason"] == "PatchAvailable"
            assert gate.ask("GET", "/livez").status == 200
        answers = [each.result().json["response"]["status"]["reason"] for each in asked]
    assert answers == ["PatchAvailable"] * len(asked)
