"""The store beside a kube-apiserver that conflicts, is busy, refuses, or is gone: asked again where that helps."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from patchgate.cluster.again import choose_pause_seconds
from patchgate.cluster.pace import Pace
from patchgate.errors import HeldError, SourceError, StoreError
from patchgate.limits import CONFIGMAP_BYTES, RECORD_BYTES_A_SECOND
from patchgate.patcher.cluster.failure_events import FailureEvents
from patchgate.patcher.cluster.hold import ClaimPace
from patchgate.patcher.cluster.store import ClusterStore, StorePace
from patchgate.patcher.cluster.write_budget import WriteBudget
from patchgate.patcher.transition import record_clean, record_failure
from patchgate.policy.part import Problem
from patchgate.policy.record import Record, State
from tests.patcher.images import IMAGE, REPOSITORY, attempt, manifest
from tests.sources.cluster.api_simulator import DROPPED, NAMESPACE, ApiSimulator, run_simulator
from tests.world import NAMES, NOW, image_list, record, records

PACE = Pace(retry_first_seconds=0.01, retry_most_seconds=0.05, refused_seconds=0)
QUICK = StorePace(PACE, ClaimPace(seconds=0.5, renew_seconds=0.1, poll_seconds=0.02), limit_seconds=60)
BRIEF = StorePace(PACE, ClaimPace(), limit_seconds=1)
LONG_SECONDS = 600
TRIES = 5
"""After which a test has the time be over."""
UPDATE = f"update configmap {NAMES.records} in copa-system"
RENEW = "renew the token or the certificate"
ROLE = "give its service account a Role with"


@pytest.fixture
def sim() -> Iterator[ApiSimulator]:
    """A namespace as the chart makes it, with one image listed."""
    with run_simulator(ApiSimulator()) as running:
        running.put("copa-image-list", image_list(IMAGE).data)
        for name in NAMES.all_records:
            running.put(name)
        yield running


def open_store(sim: ApiSimulator, pace: StorePace = QUICK, budget: WriteBudget | None = None) -> ClusterStore:
    return ClusterStore(sim.make_client(), NAMESPACE, NAMES, lambda: NOW, pace=pace, budget=budget)


def fail(before: Record | None, message: str = "time-out") -> Record:
    return record_failure(before, attempt(), message, NOW)


def time_out(before: Record | None) -> Record:
    assert before
    return replace(before, message="time-out")


def read_records(sim: ApiSimulator) -> dict[str, object]:
    read: dict[str, object] = json.loads(sim.configmaps[NAMES.records]["data"].get("records.json", "{}"))
    return read


@pytest.mark.parametrize("verb", ["list", "get", "update"])
@pytest.mark.parametrize("statuses", [[429], [500, 503], [504, DROPPED], [DROPPED] * 3], ids=str)
def test_what_passes_is_waited_out(sim: ApiSimulator, verb: str, statuses: list[int]) -> None:
    sim.once[verb] = list(statuses)
    assert open_store(sim).change_record(IMAGE, fail).key == IMAGE
    assert read_records(sim)["generation"] == 1
    assert sim.once[verb] == []


def test_a_refusal_of_a_kube_apiserver_that_has_just_started_is_waited_out(sim: ApiSimulator) -> None:
    sim.once["list"] = [403, 401, 403]
    open_store(sim, StorePace(replace(PACE, refused_seconds=10))).change_record(IMAGE, fail)
    assert read_records(sim)["generation"] == 1


def test_a_conflict_is_read_and_decided_anew(sim: ApiSimulator) -> None:
    sim.once["update"] = [409, 409, 409]
    seen: list[Record | None] = []

    def change(before: Record | None) -> Record:
        seen.append(before)
        return fail(before)

    open_store(sim).change_record(IMAGE, change)
    assert seen == [None] * 4


def test_a_write_whose_answer_was_lost_comes_to_the_same(sim: ApiSimulator) -> None:
    approve = partial(record_clean, attempt=attempt(manifest("source")), message="nothing to fix", now=NOW)
    store = open_store(sim)
    store.change_record(IMAGE, fail)
    sim.lost_answers = 1
    written = store.change_record(IMAGE, approve)
    assert read_records(sim)["generation"] == 3, "written twice"
    assert (written.state, written.earlier) == (State.CLEAN, ())
    assert open_store(sim).load().repositories[REPOSITORY].records == {IMAGE: written}


@pytest.mark.parametrize(
    ("verb", "status", "said"),
    [
        ("list", 403, f"may not list configmaps in copa-system (403): {ROLE} get and list on configmaps"),
        ("get", 403, f"may not get configmap copa-image-list in copa-system (403): {ROLE} get and list on configmaps"),
        (
            "update",
            403,
            f"may not {UPDATE} (403): {ROLE} update on the ConfigMap {NAMES.records}",
        ),
        (
            "update",
            401,
            f"{{host}} does not know who asks to {UPDATE} (401): {RENEW}",
        ),
        ("update", 422, "{host} does not update configmap copa-patched-digests in copa-system: it answers 422"),
    ],
)
def test_what_asking_again_does_not_help_is_said_at_once(sim: ApiSimulator, verb: str, status: int, said: str) -> None:
    sim.statuses[verb] = status
    with pytest.raises(StoreError) as refusal:
        open_store(sim).change_record(IMAGE, fail)
    assert str(refusal.value) == said.format(host=sim.url)
    assert sim.counts[verb] == 1


@pytest.mark.parametrize(
    ("verb", "status", "said"),
    [
        ("list", 429, "{host} is too busy to list configmaps in copa-system (429)"),
        ("update", 409, "{host} does not update configmap copa-patched-digests in copa-system: it answers 409"),
        ("update", DROPPED, "the connection to {host} broke: ProtocolError"),
    ],
)
def test_what_does_not_pass_is_said_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch, sim: ApiSimulator, verb: str, status: int, said: str
) -> None:
    class Clock:
        sleep = time.sleep

        @staticmethod
        def monotonic() -> float:
            return time.monotonic() + (LONG_SECONDS if sim.counts[verb] == TRIES else 0)

    monkeypatch.setattr("patchgate.cluster.again.time", Clock)
    sim.statuses[verb] = status
    with pytest.raises(StoreError) as refusal:
        open_store(sim, StorePace(PACE, ClaimPace(), limit_seconds=LONG_SECONDS)).change_record(IMAGE, fail)
    assert str(refusal.value) == said.format(host=sim.url)
    assert sim.counts[verb] == TRIES


def test_a_kube_apiserver_that_is_not_there_is_a_start_that_fails_and_an_image_that_fails() -> None:
    with run_simulator(ApiSimulator()) as sim:
        store = open_store(sim, BRIEF)
    with pytest.raises(SourceError, match="cannot be reached: Connection refused"):
        store.load()
    with pytest.raises(StoreError, match="cannot be reached: Connection refused"):
        store.change_record(IMAGE, fail)
    with pytest.raises(StoreError, match="cannot be reached"):
        store.finish_run(NOW)
    with pytest.raises(StoreError, match="cannot be reached"), store.hold_tag(IMAGE, 0):
        pass


def test_it_is_left_alone_as_long_as_it_asks_for_and_not_for_ever() -> None:
    busy = ApiException(status=429)
    busy.headers = {"Retry-After": "3"}
    assert choose_pause_seconds(busy, 1, PACE) == 3
    busy.headers = {"Retry-After": "86400"}
    assert choose_pause_seconds(busy, 1, PACE) == 30
    for odd in ("", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "\u0663"):
        busy.headers = {"Retry-After": odd}
        pause = choose_pause_seconds(busy, 1, PACE)
        assert pause is not None
        assert 0 < pause <= PACE.retry_most_seconds
    assert choose_pause_seconds(ProtocolError("gone"), 1, PACE)
    assert choose_pause_seconds(ApiException(status=422), 1, PACE) is None
    assert choose_pause_seconds(ValueError("no JSON"), 1, PACE) is None


def test_a_retry_after_longer_than_the_time_there_is_is_not_waited_for(sim: ApiSimulator) -> None:
    sim.statuses["update"], sim.headers = 429, {"Retry-After": "25"}
    with pytest.raises(StoreError, match="too busy to update"):
        open_store(sim, replace(QUICK, limit_seconds=20)).change_record(IMAGE, fail)
    assert sim.counts["update"] == 1


class TwoAtOnce(WriteBudget):
    """Has the first write wait until two want to be written."""

    store: ClusterStore
    is_first = True

    def wait(self) -> None:
        while self.is_first and len(self.store._writer._waiting) < 2:  # noqa: SLF001 -- what waits
            time.sleep(0.001)
        self.is_first = False


def test_what_is_wrong_with_one_configmap_keeps_no_other_from_being_tried_again(sim: ApiSimulator) -> None:
    second, other = f"{NAMES.records}-1", f"{REPOSITORY}:2"
    sim.put(NAMES.records, records({IMAGE: record()}).data)
    sim.put(second, records({other: record()}, name=second).data)
    sim.once["update"] = [422, 409]
    budget = TwoAtOnce()
    budget.store = store = open_store(sim, budget=budget)
    with ThreadPoolExecutor(2) as pool:
        refused, written = (pool.submit(store.change_record, key, time_out) for key in (IMAGE, other))
    with pytest.raises(StoreError, match="it answers 422"):
        refused.result()
    assert written.result().message == "time-out"
    assert sim.requests.count(f"update {second}") == 2


def test_more_than_may_be_written_at_once_is_waited_for(sim: ApiSimulator) -> None:
    slept: list[float] = []
    store = open_store(sim, budget=WriteBudget(lambda: 0.0, slept.append, bytes_at_once=0))
    store.change_record(IMAGE, fail)
    assert slept == []
    store.change_record(IMAGE, fail)
    size_bytes = sum(map(len, sim.configmaps[NAMES.records]["data"].values()))
    assert slept == [pytest.approx(size_bytes / RECORD_BYTES_A_SECOND, rel=0.05)]


def test_what_others_keep_there_that_is_no_text_counts_too(sim: ApiSimulator) -> None:
    logo = "QUJD" * ((CONFIGMAP_BYTES - 1300) // 3)
    sim.put(NAMES.records, records({IMAGE: record()}).data, binaryData={"logo": logo})
    with pytest.raises(StoreError, match=f"{NAMES.records} is full"):
        open_store(sim).change_record(IMAGE, partial(fail, message="x" * 400))
    assert sim.counts["update"] == 0


def test_what_did_not_change_is_not_fetched_again(sim: ApiSimulator) -> None:
    store = open_store(sim)
    store.change_record(IMAGE, fail)
    sim.requests.clear()
    store.change_record(IMAGE, fail)
    assert sim.requests == ["list", f"update {NAMES.records}"]


def test_records_that_are_binary_stop_what_they_may_concern(sim: ApiSimulator) -> None:
    sim.put(f"{NAMES.records}-2", binaryData={"records.json": "/9j/"})
    with pytest.raises(SourceError, match=r"copa-patched-digests-2 has records\.json that is binary"):
        open_store(sim).load()


def test_a_claim_that_cannot_be_let_go_of_spoils_nothing_and_is_over_in_time(sim: ApiSimulator) -> None:
    store, other = open_store(sim, StorePace(PACE, QUICK.claims, 0.5)), open_store(sim)
    with store.hold_tag(IMAGE, 0):
        sim.statuses["update"] = 500
    assert list(read_records(sim)["claims"]) == [IMAGE]  # type: ignore[call-overload] # JSON
    del sim.statuses["update"]
    with pytest.raises(HeldError, match="the next run tries again"), other.hold_tag(IMAGE, 0):
        pass
    with other.hold_tag(IMAGE, 10):
        pass


def test_claims_that_cannot_be_read_hold_nothing(sim: ApiSimulator) -> None:
    claims = {IMAGE: {"holder": 7}, "b:1": 3, "c:1": {"holder": "x", "expires": "2026-05-09T12:00:00"}}
    long_past = {"d:1": {"holder": "x", "expires": "2026-05-09T11:54:59Z"}}
    sim.put(NAMES.records, {"records.json": json.dumps({"schema": 1, "records": {}, "claims": claims | long_past})})
    store = open_store(sim)
    for reference in (IMAGE, "b:1", "c:1", "d:1"):
        with store.hold_tag(reference, 0):
            assert list(read_records(sim)["claims"]) == [reference]  # type: ignore[call-overload] # JSON


def test_claims_need_the_first_configmap(sim: ApiSimulator) -> None:
    sim.delete(NAMES.records)
    with (
        pytest.raises(StoreError, match="copa-patched-digests is not in copa-system"),
        open_store(sim).hold_tag("a:1", 0),
    ):
        pass


def test_failures_are_one_event_a_list_and_the_same_ones_are_the_same_event(sim: ApiSimulator) -> None:
    events = FailureEvents(sim.make_client(), NAMESPACE, lambda: NOW, PACE)
    failures = [Problem("copa-image-list", f"a.io/app:{number}", "time-out") for number in range(90)]
    events.tell(failures)
    events.tell(failures[::-1])
    (event,) = sim.events
    assert event["message"].startswith("a.io/app:0: time-out; a.io/app:1: time-out; ")
    assert event["message"].endswith(" more, which the records and the log tell of")
    assert len(event["message"].encode()) <= 1000
    events.tell([Problem(f"list-{number:03}", "", "x") for number in range(50)])
    assert len(sim.events) == 1 + 20
    sim.requests.clear()
    events.tell([])
    assert sim.requests == []


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("create", f"may not create events in copa-system (403): {ROLE} create on events"),
        ("list", f"may not list configmaps in copa-system (403): {ROLE} get and list on configmaps"),
    ],
)
def test_events_that_cannot_be_written_are_said(sim: ApiSimulator, verb: str, said: str) -> None:
    sim.statuses[verb] = 403
    with pytest.raises(SourceError) as refusal:
        FailureEvents(sim.make_client(), NAMESPACE, lambda: NOW, PACE).tell([Problem("copa-image-list", "", "x")])
    assert str(refusal.value) == said
