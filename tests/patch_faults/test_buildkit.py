"""BuildKit that is killed, has too little memory, too small a disk: that image's failure, and what helps is said."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.groups import leave_out
from tests.patch.buildkit import BuildKit, run_buildkit
from tests.patch_faults.scene import Scene

IN_A_CONTAINER = ("unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--")
"""Whatever ends it, its builds end with it."""
ON_A_SMALL_DISK = ("unshare", "--mount", "--", "sh", "-c", 'mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@"')
LITTLE_BYTES = 24 * 1024 * 1024
CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def own_buildkit(scene: Scene, folder: Path, own: Sequence[str], worker: str = "") -> Iterator[BuildKit]:
    """Run one that a test may end, and have the scene use it."""
    shared, bench = scene.site.bench, scene.bench
    known = [bench.registry.address, scene.proxy.address]
    with run_buildkit(bench.programs.buildkit, folder, known, bench.registry.address, own, worker) as running:
        scene.site.bench = replace(bench, buildkit=running)
        yield running
    scene.site.bench = shared


def test_buildkit_that_is_killed_in_a_build_fails_its_image_alone(scene: Scene) -> None:
    with own_buildkit(scene, scene.bench.make_folder(), IN_A_CONTAINER) as buildkit:
        with scene.site.start() as process:
            while not buildkit.list_builds():
                assert process.poll() is None
            assert buildkit.program.process
            buildkit.program.process.kill()
            buildkit.program.process.wait()
            run = scene.site.finish(process)
        scene.expect_failed(run, "BuildKit is gone", "look at its log")
        buildkit.program.start()
        scene.expect_patched(scene.site.patch())


def test_builds_without_memory_fail_their_image_alone(scene: Scene) -> None:
    folder = scene.bench.make_folder()
    with little_memory() as cgroup, own_buildkit(scene, folder, IN_A_CONTAINER, f'defaultCgroupParent = "{cgroup}"'):
        scene.expect_failed(scene.site.patch(), "give BuildKit more memory")
    scene.expect_patched(scene.site.patch())


def test_a_disk_without_room_fails_its_image_alone(scene: Scene) -> None:
    folder = scene.bench.make_folder()
    (folder / "state").mkdir()
    with own_buildkit(scene, folder, (*ON_A_SMALL_DISK, str(folder / "state"))):
        scene.expect_failed(scene.site.patch(), "no room left on a disk", "BuildKit's state")
    scene.expect_patched(scene.site.patch())


@contextmanager
def little_memory() -> Iterator[str]:
    """Make a cgroup with a limit that no apt-get keeps; gives its path below the hierarchy."""
    is_unified = (CGROUPS / "cgroup.controllers").exists()
    folder = (CGROUPS if is_unified else CGROUPS / "memory") / f"patchgate-tests-{os.getpid()}"
    try:
        folder.mkdir()
        limit = folder / ("memory.max" if is_unified else "memory.limit_in_bytes")
        limit.write_text(str(LITTLE_BYTES), encoding="utf-8")
    except OSError as error:
        leave_out(f"no cgroup with a memory limit can be made here: {error.strerror}")
    try:
        yield f"/{folder.name}"
    finally:
        for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
            inner.rmdir()
        folder.rmdir()
