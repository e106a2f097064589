"""F20: five thousand images in force, all changed again and again: they take little memory, and no more later."""

from pathlib import Path

from tests.conftest import Gate, GateRunner, write_configmaps
from tests.faults.conftest import read_resident_bytes
from tests.world import image_list, patched, records

IMAGES = 5000
A_CONFIGMAP = 650
"""Records of about 1.4 KB each: below the 900 KiB at which the patcher takes the next ConfigMap."""
A_PAGE = 500
HELD_BYTES = 50 * 2**20
"""What five thousand images may add to a gate without any: a Pod's memory limit is set by it, with room for two
snapshots, as the old one is in force while the new one is made."""
GROWTH = 1.15
"""Resident memory after more changes ÷ after the first two: a snapshot that was kept would be a tenth each. The smaller
of two readings, as the pages that were read a moment ago may be in one of them."""


def name(number: int) -> str:
    return f"registry.example.com/many/image-{number}:1.0"


def write(folder: Path, turn: int) -> None:
    """Write them all; the turn changes every record."""
    for part, first in enumerate(range(0, IMAGES, A_CONFIGMAP)):
        numbers = range(first, min(first + A_CONFIGMAP, IMAGES))
        by_key = {name(n): patched(f"{name(n)}-patched-20260509", message=f"turn {turn}") for n in numbers}
        which = "copa-patched-digests" + (f"-{part}" if part else "")
        write_configmaps(folder, records(by_key, name=which, generation=turn))
    write_configmaps(folder, image_list(*map(name, range(IMAGES))))


def is_in_force(gate: Gate, turn: int) -> bool:
    """Whether every record is of the turn: the gate may read some of the files before others are written."""
    pages = (gate.ask_ops(f"/v1/images?offset={first}&limit={A_PAGE}").json for first in range(0, IMAGES, A_PAGE))
    messages = [each["message"] for page in pages for each in page["images"]]
    return messages == [f"turn {turn}"] * IMAGES


def follow(gate: Gate, folder: Path, turn: int) -> None:
    write(folder, turn)
    gate.wait_until(lambda: gate.metric("patchgate_snapshot_generation") == turn, seconds=180)
    gate.wait_until(lambda: is_in_force(gate, turn), seconds=180)


def test_five_thousand_images_cost_little_memory_and_changes_none(tmp_path: Path, self_signed: GateRunner) -> None:
    with self_signed(write_configmaps(tmp_path / "lists", image_list())) as gate:
        empty = read_resident_bytes(gate)
        for turn in (1, 2):
            follow(gate, tmp_path / "lists", turn)
        settled = read_resident_bytes(gate)
        assert settled - empty <= HELD_BYTES
        for turn in (3, 4, 5):
            follow(gate, tmp_path / "lists", turn)
        later = read_resident_bytes(gate)
        follow(gate, tmp_path / "lists", 6)
        assert min(later, read_resident_bytes(gate)) <= GROWTH * settled
