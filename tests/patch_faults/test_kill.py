"""kill -9 at every step, and run again: no approval lost, no tag overwritten, no half record, nothing unverified.

The patcher dies with all that it has started, as a Pod's container does; the registry and BuildKit live on.
"""

import json
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.patch.site import approved
from tests.patch_faults.records_watcher import RecordsWatcher, watch_records
from tests.patch_faults.scene import Scene, find_processes, read_tags

if TYPE_CHECKING:
    import subprocess

STOP_AT = Path(__file__).with_name("stop_at.py")
IN_A_CONTAINER = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--")
REACH_SECONDS = 120.0
END_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Point:
    """Where the patcher is killed.

    Attributes:
        steps: events of its own (`stop_at.py`).
        program, what, pattern: or a call of one that it runs, and how that is held there (`stand_in.py`).
        again: what the next run has to do for the image.
    """

    steps: tuple[str, ...] = ()
    program: str = ""
    what: str = "wait"
    pattern: str = ""
    again: str = "patched"


SENDS = r"^image http\.client\.send"
TAGS = rf"{SENDS} PUT /v2/faults/victim/manifests/1\.0-patched-"
RECORDS = r"copa-patched-digests\.yaml"
POINTS = {
    "after resolve": Point((rf"{SENDS} HEAD /v2/faults/victim/manifests/sha256:",)),
    "in the scan": Point(program="trivy", pattern=r"--platform .*/faults/victim:1\.0-patched-"),
    "after the scan": Point((rf"{SENDS} POST /v2/faults/victim/blobs/uploads/",)),
    "in the build": Point(program="copa", what="freeze", pattern=r"^patch "),
    "after the candidate's push": Point(
        (r"^image subprocess\.Popen .* patch ", rf"{SENDS} HEAD /v2/faults/victim/manifests/1\.0-candidate-")
    ),
    "in the verifying scan": Point(program="trivy", pattern=r"--platform .*/faults/victim:1\.0-candidate-"),
    "before the tag": Point((TAGS,)),
    "after the tag": Point((TAGS, r"^image os\.remove .*\.lock$")),
    "before the record's write": Point((TAGS, r"^image fcntl\.flock .*/\d+$")),
    "in the record's write": Point((TAGS, rf"^image os\.chmod .*{RECORDS}")),
    "before the record is in its place": Point((TAGS, rf"^image os\.rename .*{RECORDS}")),
    "after the record": Point((rf"{SENDS} DELETE /v2/faults/victim/manifests/1\.0-candidate-",), again="unchanged"),
    "at the run's end": Point((rf"^main os\.rename .*{RECORDS}",), again="unchanged"),
}


@pytest.mark.parametrize("point", POINTS)
def test_whoever_is_killed_at_a_step_is_made_good_by_the_next_run(scene: Scene, point: str) -> None:
    before = read_tags(scene.bench)
    with watch_records(scene.site.source) as watcher:
        run_to(scene, POINTS[point])
        between = read_tags(scene.bench)
        expect_verified(scene)
        run = scene.site.patch()
    after = read_tags(scene.bench)
    assert run.exit_code == 0, run.text
    assert run.results == {scene.victim: POINTS[point].again, scene.other: "unchanged"}
    assert before.items() <= between.items() <= after.items()
    expect_nothing_lost(scene, watcher)
    expect_verified(scene)
    scene.expect_nothing_left()


def run_to(scene: Scene, point: Point) -> None:
    """Run the patcher to a point, kill it and all that it has started, and throw its files away as a Pod's volume."""
    mark, flags, patchgate = scene.bench.make_folder() / "mark", ["--jobs", "1"], scene.site.patchgate
    if point.steps:
        patchgate = (sys.executable, str(STOP_AT), json.dumps(point.steps), str(mark))
    else:
        mark, given = scene.stand_in(point.program, point.what, point.pattern)
        flags += given
    with replace(scene.site, patchgate=(*IN_A_CONTAINER, *patchgate)).start(*flags) as process:
        wait_for(mark, process)
    expect_all_ended(scene)
    for left in scene.site.temporary.iterdir():
        shutil.rmtree(left)


def wait_for(mark: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + REACH_SECONDS
    while not mark.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"it did not come to this point:\n{''.join(process.communicate())}")
        time.sleep(0.02)


def expect_all_ended(scene: Scene) -> None:
    deadline = time.monotonic() + END_SECONDS
    while left := find_processes(scene.site.temporary):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def expect_verified(scene: Scene) -> None:
    """Expect that nothing which Flux would take has a finding."""
    scanner = scene.bench.scan_with(scene.site.database)
    repository = scene.victim.rpartition(":")[0]
    for digest in set(scene.patched_tags.values()):
        assert scanner.find(f"{repository}@{digest}", scene.bench.make_folder()) == set()


def expect_nothing_lost(scene: Scene, watcher: RecordsWatcher) -> None:
    """Expect the earlier approval in every state of the records, and a new one at the end that the gate takes."""
    assert watcher.faults == []
    assert len(watcher.states) > 1
    assert [state for state in watcher.states if scene.earlier not in state[scene.victim]] == []
    now = approved(scene.site.read_record(scene.victim))
    reference, _, digest = now.partition("@")
    assert now != scene.earlier
    assert scene.patched_tags[reference.rpartition(":")[2]] == digest
    assert scene.site.check(now, scene.earlier, scene.victim) == {
        now: "Approved",
        scene.earlier: "Approved",
        scene.victim: "PatchAvailable",
    }
