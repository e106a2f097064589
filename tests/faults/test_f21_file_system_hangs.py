"""F21: the file system that lists are on hangs, and the thread that reads with it: nothing else of the gate does."""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SHOP, GateRunner, read_recorded, write_configmaps
from tests.groups import leave_out

DEVICE = Path("/dev/fuse")
END_SECONDS = 60.0
_LIBC = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def mount_hanging(place: Path) -> Iterator[None]:
    """Mount a file system whose server never answers (fuse(4)): whoever looks into it waits, until the block ends."""
    server = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
    try:
        if _LIBC.mount(b"hanging", bytes(place), b"fuse", 0, options) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        try:
            yield
        finally:
            _LIBC.umount2(bytes(place), 2)  # MNT_DETACH
    finally:
        os.close(server)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_reviews_are_decided_the_age_is_shown_and_the_gate_ends_when_told(
    tmp_path: Path, self_signed: GateRunner
) -> None:
    if not DEVICE.exists():
        leave_out("this kernel has no FUSE")
    source, place = write_configmaps(tmp_path / "source", *SHOP), tmp_path / "hanging"
    place.mkdir()
    with self_signed(source) as gate, mount_hanging(place):
        (source / "team.yaml").symlink_to(place / "team.yaml")
        gate.wait_until(lambda: gate.metric("patchgate_snapshot_age_seconds") > 8)  # it is looked at every 5 s
        assert gate.review(read_recorded("pod-create")).json["response"]["status"]["reason"] == "PatchAvailable"
        assert [gate.ask("GET", path).status for path in ("/livez", "/readyz")] == [200, 200]
        gate.process.terminate()
        assert gate.process.wait(END_SECONDS) == 0
