"""Events on ConfigMaps: what is written, that it is written once, and what is said where it cannot be."""

from collections.abc import Iterator

import pytest

from patchgate.cluster.event import EventWriter
from patchgate.errors import SourceError
from tests.sources.cluster.api_simulator import NAMESPACE, ApiSimulator, run_simulator
from tests.world import NOW


@pytest.fixture
def sim() -> Iterator[ApiSimulator]:
    with run_simulator(ApiSimulator()) as running:
        yield running


def make_writer(sim: ApiSimulator, uid: str | None = "uid-1") -> EventWriter:
    return EventWriter(sim.make_client(), NAMESPACE, lambda _: uid)


def test_an_event_is_a_warning_on_the_configmap(sim: ApiSimulator) -> None:
    make_writer(sim).write("copa-image-list", "line 2: no image", NOW)
    (event,) = sim.events
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "copa-image-list",
        "namespace": NAMESPACE,
        "uid": "uid-1",
    }
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "DataDoesNotCount", "line 2: no image")
    assert (event["source"], event["count"], event["firstTimestamp"]) == (
        {"component": "patchgate"},
        1,
        "2026-05-09T12:00:00+00:00",
    )
    assert event["metadata"]["namespace"] == NAMESPACE


def test_the_same_problem_is_one_event_whoever_tells_of_it(sim: ApiSimulator) -> None:
    for writer in (make_writer(sim), make_writer(sim)):
        writer.write("copa-image-list", "line 2: no image", NOW)
    assert (len(sim.events), sim.counts["create"]) == (1, 2)


def test_another_problem_or_another_configmap_of_the_name_is_another_event(sim: ApiSimulator) -> None:
    make_writer(sim).write("copa-image-list", "line 2: no image", NOW)
    make_writer(sim).write("copa-image-list", "line 3: no image", NOW)
    make_writer(sim, "uid-2").write("copa-image-list", "line 2: no image", NOW)
    assert len(sim.events) == 3


def test_a_configmap_that_is_gone_has_no_uid(sim: ApiSimulator) -> None:
    make_writer(sim, None).write("copa-image-list", "is gone", NOW)
    assert "uid" not in sim.events[0]["involvedObject"]


def test_the_longest_name_leaves_room_for_the_checksum(sim: ApiSimulator) -> None:
    make_writer(sim).write(f"{'a' * 199}.{'b' * 53}", "line 2: no image", NOW)
    name = sim.events[0]["metadata"]["name"]
    assert len(name) <= 253
    assert name.startswith("a" * 199 + ".")
    assert ".." not in name


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            403,
            r"^may not create events in copa-system \(403\): give its service account a Role with .* create on events$",
        ),
        (503, r"^http://127.0.0.1:\d+ does not create events in copa-system: it answers 503$"),
    ],
)
def test_what_cannot_be_written_is_said(sim: ApiSimulator, status: int, text: str) -> None:
    sim.statuses["create"] = status
    with pytest.raises(SourceError, match=text):
        make_writer(sim).write("copa-image-list", "line 2: no image", NOW)
