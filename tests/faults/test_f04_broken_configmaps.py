"""F4: a ConfigMap is absent, empty, half written, hostile or deleted: what was good stays in force, and it is said."""

from pathlib import Path

import pytest

from tests.conftest import API, SHOP, Gate, GateRunner, write_configmaps
from tests.world import image_list, records

OTHER = "registry.example.com/myapp/other:1"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_configmaps(tmp_path / "source", *SHOP)


def reason(gate: Gate, image: str) -> str:
    return str(gate.ask("POST", "/v1/decisions", {"images": [image]}).json["reason"])


def problems(gate: Gate) -> str:
    return gate.ask("GET", "/readyz?verbose").text


def test_absent_at_the_start_the_gate_is_not_ready_and_decides_nothing(tmp_path: Path, self_signed: GateRunner) -> None:
    with self_signed(tmp_path) as gate:
        assert gate.ask("GET", "/readyz").status == 503
        answer = gate.ask("POST", "/v1/decisions", {"images": [API]})
        assert (answer.status, answer.headers["retry-after"], answer.json["allowed"]) == (503, "1", False)


def test_empty_at_the_start_it_is_valid_and_tracks_nothing(tmp_path: Path, self_signed: GateRunner) -> None:
    with self_signed(write_configmaps(tmp_path, image_list())) as gate:
        assert (gate.ask("GET", "/readyz").status, reason(gate, API)) == (200, "NotTracked")


@pytest.mark.parametrize(
    "broken",
    ["", "data:\n  images.txt: |\n   registry.exa", "\0\0\0", "[" * 5000, "a: &a [*a, *a]", "kind: Pod\n", None],
    ids=["empty", "half written", "NUL", "deep", "alias of itself", "another kind", "deleted"],
)
def test_a_main_list_that_breaks_stays_in_force_and_is_mended(
    source: Path, self_signed: GateRunner, broken: str | None
) -> None:
    file = source / "copa-image-list.yaml"
    with self_signed(source) as gate:
        before = problems(gate)
        if broken is None:
            file.unlink()
        else:
            file.write_text(broken, encoding="utf-8")
        gate.wait_until(lambda: problems(gate) != before)
        assert (reason(gate, API), gate.ask("GET", "/readyz").status) == ("PatchAvailable", 200)
        write_configmaps(source, image_list(API, OTHER))
        gate.wait_until(lambda: reason(gate, OTHER) == "Unscanned")


def test_a_digest_that_is_none_approves_nothing_and_costs_nothing_else(source: Path, self_signed: GateRunner) -> None:
    lines = [f"registry.example.com/myapp/{name} # patched from {OTHER} on 20260509" for name in ("other@unknown", "x")]
    write_configmaps(source, image_list(API, OTHER), records(digests=lines))
    with self_signed(source) as gate:
        assert reason(gate, "registry.example.com/myapp/other:1-patched-20260509") == "Unlisted"
        assert reason(gate, OTHER) == "Unscanned"
        assert "copa-patched-digests: digests.txt line 1" in problems(gate)
