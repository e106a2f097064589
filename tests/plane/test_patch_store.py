"""The patcher's store on a real kube-apiserver, as the ServiceAccount and with the Role that the document gives."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.write_records import write_records
from patchgate.errors import HeldError, SourceError, StoreError
from patchgate.limits import CONFIGMAP_BYTES, RECORDS_BYTES
from patchgate.patcher.shard import Shard
from patchgate.patcher.transition import record_clean
from patchgate.policy.part import RecordsPart
from patchgate.policy.record import Record
from tests.die_with_parent import die_with_parent
from tests.patcher.images import IMAGE, REPOSITORY, attempt, manifest
from tests.patcher.images import target as make_target
from tests.plane.control_plane import Plane
from tests.plane.patch_cluster import PatchCluster, make_patch_cluster
from tests.world import NAMES, NOW, digest, hours_ago, image_list, record, records, team_list, verdict

WRITERS, WRITES = 8, 25
WAIT_SECONDS = 120.0
SECOND = f"{NAMES.records}-1"


@pytest.fixture
def cluster(plane: Plane, tmp_path: Path) -> PatchCluster:
    """A namespace of its own, with one image listed."""
    made = make_patch_cluster(plane, f"patch-{uuid4().hex[:8]}", tmp_path)
    made.put(image_list(IMAGE))
    return made


def approve(before: Record | None, key: str = IMAGE) -> Record:
    repository, _, tag = key.rpartition(":")
    target = replace(make_target(), repository=repository, tag=tag, push_repository=repository)
    return record_clean(before, replace(attempt(manifest("source")), target=target), "nothing to fix", NOW)


def start_writer(cluster: PatchCluster, name: str, writes: int) -> "subprocess.Popen[str]":
    command = ["-m", "tests.plane.record_writer", str(cluster.kubeconfig), cluster.namespace, name, str(writes)]
    return subprocess.Popen(
        [*die_with_parent(), sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_record_is_written_and_the_gate_admits_by_it(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    assert store.load().find_repository(REPOSITORY)
    written = store.change_record(IMAGE, approve)
    assert cluster.read().records == {IMAGE: written}
    assert cluster.read().generation == 1
    assert cluster.get()["data"]["digests.txt"] == f"{REPOSITORY}@{digest('source')}  # clean {IMAGE} on 20260509\n"
    assert verdict(IMAGE, store.load()).reason == "Approved"
    store.finish_run(NOW)
    assert cluster.read().last_run == NOW
    assert cluster.read().records == {IMAGE: written}


def test_two_hundred_conflicting_writes_are_all_there(cluster: PatchCluster) -> None:
    writers = [start_writer(cluster, f"writer-{number}", WRITES) for number in range(WRITERS)]
    for writer in writers:
        _, errors = writer.communicate(timeout=WAIT_SECONDS)
        assert writer.returncode == 0, errors
    expected = {digest(f"writer-{number}-{write}") for number in range(WRITERS) for write in range(WRITES)}
    assert set(cluster.read().records[IMAGE].earlier_sources) == expected
    assert cluster.read().generation == WRITERS * WRITES


def fill(cluster: PatchCluster, count: int) -> dict[str, str]:
    """Fill the ConfigMaps with records, each up to where it takes no new one; gives key → ConfigMap."""
    template = approve(None)
    places: dict[str, str] = {}
    names = iter(NAMES.all_records)
    while len(places) < count:
        name = next(names)
        held: dict[str, Record] = {}
        while len(places) + len(held) < count and len(held) < 600:
            tag = f"{len(places) + len(held)}.0"
            made = replace(template, tag=tag, approved=replace(template.approved, tag=tag))  # type: ignore[type-var] # it has one
            held[made.key] = replace(made, message="x" * 100)
        data = write_records(RecordsPart(name, held, {}, 1, None, ()))
        room = RECORDS_BYTES + 10 - sum(len(text) for text in data.values())
        assert room > 0
        cluster.put(ConfigMap(name, {}, data | {"filler": "." * room if len(held) == 600 else ""}))
        places |= dict.fromkeys(held, name)
    return places


def touch(before: Record | None) -> Record:
    assert before
    return replace(before, message="y" * 100)


def test_three_thousand_records_are_spread_stay_where_they_are_and_grow_there(cluster: PatchCluster) -> None:
    places = fill(cluster, 2990)
    cluster.put(image_list(f"{REPOSITORY}:*"))
    store = cluster.open_store()
    assert len(store.load().repositories[REPOSITORY].records) == 2990
    moved = [key for number, key in enumerate(places) if number % 299 == 0]
    for key in moved:
        store.change_record(key, touch)
    for number in range(10):
        key = f"{REPOSITORY}:new-{number}"
        store.change_record(key, partial(approve, key=key))
    parts = {name: cluster.read(name) for name in NAMES.all_records}
    assert sum(len(part.records) for part in parts.values()) == 3000
    assert not any(part.problems for part in parts.values())
    assert all(parts[places[key]].records[key].message == "y" * 100 for key in moved)
    homes = {name for name, part in parts.items() if any(":new-" in key for key in part.records)}
    assert homes == {list(dict.fromkeys(places.values()))[-1]}, "the first with room"
    assert len(store.load().repositories[REPOSITORY].records) == 3000


def test_where_all_are_full_the_image_fails_and_those_that_are_there_go_on(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    store.change_record(IMAGE, approve)
    full = {"filler": "." * RECORDS_BYTES}
    for name in NAMES.all_records:
        cluster.kubectl.do("get", "configmap", name)
        cluster.put(ConfigMap(name, {}, dict(cluster.get(name).get("data", {})) | full))
    with pytest.raises(StoreError, match="all 8 ConfigMaps of records are full: raise --record-configmaps"):
        store.change_record(f"{REPOSITORY}:new", approve)
    assert store.change_record(IMAGE, approve).key == IMAGE
    cluster.put(ConfigMap(NAMES.records, {}, dict(cluster.get()["data"]) | {"filler": "." * (CONFIGMAP_BYTES - 1900)}))
    with pytest.raises(StoreError, match=f"{NAMES.records} is full"):
        store.change_record(IMAGE, lambda before: replace(approve(before), message="x" * 2000))


def test_what_a_person_writes_meanwhile_stays(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    store.change_record(IMAGE, approve)
    calls: list[int] = []

    def change(before: Record | None) -> Record:
        calls.append(1)
        if len(calls) == 1:  # between the store's reading and its writing
            metadata = {"name": NAMES.records, "labels": {"team": "a"}, "annotations": {"note": "b"}}
            obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"notes.txt": "by hand"}}
            cluster.kubectl.do("apply", "--server-side", "-f", "-", given=obj)
            cluster.kubectl.patch(f"configmap/{NAMES.records}", {"binaryData": {"logo": "/9j/"}})
        return replace(approve(before), message=f"call {len(calls)}")

    store.change_record(IMAGE, change)
    written = cluster.get()
    assert len(calls) == 2
    assert cluster.read().records[IMAGE].message == "call 2"
    assert (written["data"]["notes.txt"], written["binaryData"]) == ("by hand", {"logo": "/9j/"})
    assert (written["metadata"]["labels"]["team"], written["metadata"]["annotations"]["note"]) == ("a", "b")


def test_what_a_person_takes_out_of_the_records_is_not_put_back(cluster: PatchCluster) -> None:
    store, other = cluster.open_store(), f"{REPOSITORY}:2.0"
    store.change_record(IMAGE, approve)
    store.change_record(other, partial(approve, key=other))
    cluster.put(records({IMAGE: record(message="by hand")}))
    seen: list[Record | None] = []

    def change(before: Record | None) -> Record:
        seen.append(before)
        return approve(before)

    store.change_record(IMAGE, change)
    assert [before.message for before in seen if before] == ["by hand"]
    assert set(cluster.read().records) == {IMAGE}


def test_a_higher_schema_stays_untouched_and_stops_what_it_may_concern_alone(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    store.change_record(IMAGE, approve)
    newer = {"records.json": json.dumps({"schema": 2, "records": {"x": 1}}), "digests.txt": ""}
    cluster.put(ConfigMap(SECOND, {}, newer))
    with pytest.raises(SourceError, match=f"{SECOND} has schema 2"):
        store.load()
    store.change_record(IMAGE, approve)
    with pytest.raises(StoreError, match=f"its record may be in {SECOND}, which has schema 2"):
        store.change_record(f"{REPOSITORY}:new", approve)
    store.finish_run(NOW)
    assert cluster.get(SECOND)["data"] == newer
    assert cluster.read().generation == 3


def test_a_configmap_that_is_not_there_is_said_and_never_made(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    store.change_record(IMAGE, approve)
    cluster.kubectl.do("delete", "configmap", SECOND)
    assert store.load().is_complete
    store.change_record(IMAGE, approve)
    todo = "make an empty ConfigMap of that name, as the chart does, or lower --record-configmaps"
    with pytest.raises(StoreError) as refusal:
        store.change_record(f"{REPOSITORY}:new", approve)
    assert str(refusal.value) == f"its record may be in {SECOND}, which is not in {cluster.namespace}: {todo}"
    cluster.kubectl.do("delete", "configmap", *(name for name in NAMES.all_records if name != SECOND))
    with pytest.raises(SourceError) as cannot_start:
        store.load()
    assert str(cannot_start.value) == f"{NAMES.records} is not in {cluster.namespace}: {todo}"
    assert cluster.kubectl.ask("get", "configmap", NAMES.records).code == 1


def test_without_a_list_or_with_a_wrong_policy_it_cannot_start(cluster: PatchCluster) -> None:
    store = cluster.open_store()
    cluster.put(image_list(IMAGE, severity_threshold="SEVERE"))
    with pytest.raises(SourceError, match="severity_threshold"):
        store.load()
    cluster.kubectl.do("delete", "configmap", NAMES.image_list)
    with pytest.raises(SourceError, match=f"no ConfigMap copa-image-list in {cluster.namespace}: make one"):
        store.load()


def test_a_labelled_list_is_read_and_records_go_thirty_days_after_their_line(cluster: PatchCluster) -> None:
    old = {f"{REPOSITORY}:{tag}": record(updated=hours_ago(31 * 24)) for tag in ("1.0", "2.0", "3.0")}
    cluster.put(
        team_list(f"{REPOSITORY}:2.*"),
        records(old),
        records({"gone.io/g:1": record(updated=hours_ago(31 * 24))}, name=SECOND),
    )
    store = cluster.open_store()
    store.finish_run(NOW)
    assert set(cluster.read().records) == {f"{REPOSITORY}:2.0"}
    assert cluster.read(SECOND).records == {}


def read_claims(cluster: PatchCluster) -> dict[str, str]:
    """Read who holds what."""
    content = json.loads(cluster.get()["data"]["records.json"])
    return {tag: claim["holder"] for tag, claim in content.get("claims", {}).items()}


def test_a_tag_that_one_pod_holds_no_other_gets_and_the_gate_does_not_mind(cluster: PatchCluster) -> None:
    tag, one, other = f"{IMAGE}-patched-20260509", cluster.open_store(), cluster.open_store()
    with one.hold_tag(tag, 0):
        with pytest.raises(HeldError, match=f"holds {tag} and did not let go for 0 s"), other.hold_tag(tag, 0):
            pass
        with other.hold_tag(f"{tag}.02", 0):
            assert set(read_claims(cluster)) == {tag, f"{tag}.02"}
            assert not cluster.read().problems
        one.change_record(IMAGE, approve)
    with other.hold_tag(tag, 0):
        pass
    assert read_claims(cluster) == {}
    assert set(cluster.read().records) == {IMAGE}


def test_a_tag_whose_holder_was_killed_is_free_when_its_claim_is_over(cluster: PatchCluster) -> None:
    tag, writer = f"{IMAGE}-patched-20260509", start_writer(cluster, "holder", 0)
    assert writer.stdout
    assert writer.stdout.readline() == "held\n"
    store, dead = cluster.open_store(), read_claims(cluster)[tag]
    with pytest.raises(HeldError), store.hold_tag(tag, 5):  # it lives, and renews its claim of 4 s
        pass
    writer.send_signal(signal.SIGKILL)
    writer.communicate(timeout=WAIT_SECONDS)
    with store.hold_tag(tag, WAIT_SECONDS):
        assert read_claims(cluster)[tag] != dead
    assert read_claims(cluster) == {}


def test_shards_write_beside_each_other_and_each_notes_its_end(cluster: PatchCluster) -> None:
    keys = [f"registry.example.com/shop/app-{number}:1" for number in range(12)]
    cluster.put(image_list(*keys))
    for index in range(2):
        shard, store = Shard(index, 2), cluster.open_store()
        for key in keys:
            if shard.owns(key.rpartition(":")[0]):
                store.change_record(key, partial(approve, key=key))
        store.finish_run(NOW)
    assert set(cluster.read().records) == set(keys)
