"""Trivy and Copa that hang, flood, end without a result, are killed: that image's failure, and nothing left running."""

from contextlib import ExitStack
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.patch_faults.scene import EVERY_SCAN, SOON_SECONDS, Scene

PROGRAMS = {
    "Trivy hangs": ("trivy", "hang", EVERY_SCAN, ("Trivy took longer than", "give an image more time")),
    "Trivy floods stderr": ("trivy", "flood", EVERY_SCAN, ("Trivy failed (exit code 1)", "level=warn")),
    "Trivy ends well with {}": ("trivy", "write_empty_report", EVERY_SCAN, ("Trivy's report cannot be believed",)),
    "Trivy is killed": ("trivy", "die", EVERY_SCAN, ("Trivy was killed", "give the patcher more memory")),
    "Copa hangs": ("copa", "hang", "^patch ", ("Copa took longer than", "give an image more time")),
    "Copa floods stderr": ("copa", "flood", "^patch ", ("Copa failed (exit code 1)", "level=warn")),
    "Copa ends well and pushes nothing": ("copa", "do_nothing", "^patch ", ("pushed nothing", "look at its output")),
    "Copa is killed": ("copa", "die", "^patch ", ("Copa was killed", "give the patcher more memory")),
}


@pytest.mark.parametrize("fault", PROGRAMS)
def test_a_program_that_misbehaves_fails_its_image_alone(scene: Scene, fault: str) -> None:
    program, what, pattern, words = PROGRAMS[fault]
    mark, flags = scene.stand_in(program, what, pattern)
    run = scene.site.patch(*flags, "--image-limit-seconds", SOON_SECONDS)
    assert mark.exists(), run.text
    scene.expect_failed(run, *words)
    assert len(run.messages[scene.victim]) <= 500


def test_a_scan_cache_that_somebody_else_locks_stops_nobody(scene: Scene) -> None:
    """Trivy's own cache of scans takes one at a time; ours are kept in memory."""
    with ExitStack() as held:
        lock(scene.site.database / "fanal" / "fanal.db", held)
        scene.expect_patched(scene.site.patch())


def test_a_database_that_somebody_else_locks_fails_the_images_that_are_scanned(scene: Scene) -> None:
    with ExitStack() as held:
        lock(scene.site.database / "db" / "trivy.db", held)
        run = scene.site.patch("--image-limit-seconds", SOON_SECONDS)
    assert (run.exit_code, set(run.results.values())) == (1, {"failed"}), run.text
    assert "give an image more time" in run.messages[scene.victim]
    assert scene.site.check(scene.earlier) == {scene.earlier: "Approved"}
    scene.expect_nothing_left()
    scene.expect_patched(scene.site.patch())


def lock(file: Path, held: ExitStack) -> None:
    """Hold the lock that bbolt takes of its file."""
    file.parent.mkdir(exist_ok=True)
    flock(held.enter_context(file.open("ab")), LOCK_EX)
