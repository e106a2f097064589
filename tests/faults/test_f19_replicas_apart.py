"""F19: two replicas go by data of different runs of the patcher: it is seen, and neither stops."""

from pathlib import Path

from tests.conftest import API, Gate, GateRunner, write_configmaps
from tests.world import image_list, patched, records

SERIES = "patchgate_snapshot_generation"


def write(folder: Path, generation: int) -> Path:
    return write_configmaps(
        folder, image_list(API), records({API: patched(f"{API}-patched-20260509")}, generation=generation)
    )


def reason(gate: Gate) -> str:
    return str(gate.ask("POST", "/v1/decisions", {"images": [API]}).json["reason"])


def test_each_replica_shows_the_generation_that_it_goes_by_until_they_agree(
    tmp_path: Path, self_signed: GateRunner
) -> None:
    with (
        self_signed(write(tmp_path / "a", 8)) as ahead,
        self_signed(write(tmp_path / "b", 7)) as behind,
    ):
        assert [gate.metric(SERIES) for gate in (ahead, behind)] == [8, 7]
        assert [reason(gate) for gate in (ahead, behind)] == ["PatchAvailable"] * 2
        write(tmp_path / "b", 8)
        behind.wait_until(lambda: behind.metric(SERIES) == 8)
        write(tmp_path / "a", 6)  # nothing is refused by it: a restored backup is a run like any other
        ahead.wait_until(lambda: ahead.metric(SERIES) == 6)
        assert reason(ahead) == "PatchAvailable"
