"""kube-apiserver ends and starts again while the patcher writes, and stands still: no record and no approval is lost.

On a plane of their own, as the programs of the shared one may not be ended.
"""

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from patchgate.patcher.transition import record_clean
from patchgate.policy.record import Record
from tests.patcher.images import IMAGE, attempt, manifest
from tests.plane.conftest import PlaneRunner
from tests.plane.control_plane import Plane, wait_until
from tests.plane.patch_cluster import PatchCluster, make_patch_cluster
from tests.plane.test_patch_store import WRITES, start_writer
from tests.world import NOW, digest, image_list

WAIT_SECONDS = 120.0


@pytest.fixture(scope="module")
def own_plane(run_own_plane: PlaneRunner) -> Iterator[Plane]:
    with run_own_plane() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(own_plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> PatchCluster:
    made = make_patch_cluster(own_plane, "patch-faults", tmp_path_factory.mktemp("patch"))
    made.put(image_list(IMAGE))
    return made


approve = partial(record_clean, attempt=attempt(manifest("source")), message="nothing to fix", now=NOW)


def test_a_kube_apiserver_that_ends_while_a_record_is_written_is_waited_for(
    own_plane: Plane, cluster: PatchCluster
) -> None:
    store = cluster.open_store()
    store.change_record(IMAGE, approve)
    ended = threading.Event()

    def change(before: Record | None) -> Record:
        if not ended.is_set():  # between reading and writing
            own_plane.api_server.end()
            ended.set()
        return approve(before)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.change_record, IMAGE, change)
        assert ended.wait(WAIT_SECONDS)
        own_plane.api_server.start()
        written = writing.result(WAIT_SECONDS)
    assert cluster.read().records == {IMAGE: written}
    assert written.approved


def test_a_kube_apiserver_that_stands_still_under_many_writers_costs_no_write(
    own_plane: Plane, cluster: PatchCluster
) -> None:
    before = cluster.read()
    writers = [start_writer(cluster, f"frozen-{number}", WRITES) for number in range(3)]
    process = own_plane.api_server.process
    assert process
    wait_until(lambda: cluster.read().generation >= before.generation + 3, "writes")
    process.send_signal(signal.SIGSTOP)
    try:
        assert all(writer.poll() is None for writer in writers)
        threading.Event().wait(2)
    finally:
        process.send_signal(signal.SIGCONT)
    for writer in writers:
        _, errors = writer.communicate(timeout=WAIT_SECONDS)
        assert writer.returncode == 0, errors
    expected = {digest(f"frozen-{number}-{write}") for number in range(3) for write in range(WRITES)}
    record = cluster.read().records[IMAGE]
    assert expected <= set(record.earlier_sources)
    assert record.approved == before.records[IMAGE].approved
