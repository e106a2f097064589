"""The gate follows its directory: what changes on disk is in force, and what breaks there breaks nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Gate, GateRunner, read_recorded, write_configmaps
from tests.world import clean, exceptions, hours_ago, image_list, records, team_list

BASE = "registry.example.com/shared/base:1"
OTHER = "registry.example.com/shared/other:1"
TEAM = "registry.example.com/team/app:1"
TEAM_LATER = "registry.example.com/team/later:1"
LATER = {
    "copa-image-list": (image_list(BASE, OTHER), OTHER, "Unscanned"),
    "copa-patched-digests": (records({BASE: clean(BASE, verified=hours_ago(30))}), BASE, "Stale"),
    "copa-exceptions": (exceptions(""), TEAM, "Unscanned"),
    "team-images": (team_list(TEAM, TEAM_LATER), TEAM_LATER, "Unscanned"),
}
"""ConfigMap → what it holds when it is mended, and an image that this shows in."""
EXCEPTED = exceptions(f"- {{image: '{TEAM}', reason: r, owner: o, expires: '{hours_ago(-24)}'}}\n")
AT_FIRST = {BASE: "Approved", OTHER: "NotTracked", TEAM: "Excepted", TEAM_LATER: "NotTracked"}


def write_world(directory: Path) -> Path:
    return write_configmaps(directory, image_list(BASE), records({BASE: clean(BASE)}), EXCEPTED, team_list(TEAM))


def reasons(gate: Gate) -> dict[str, str]:
    answer = gate.ask("POST", "/v1/decisions", {"images": list(AT_FIRST)})
    return {item["image"]: item["reason"] for item in answer.json["images"]}


def problems(gate: Gate) -> list[str]:
    lines = gate.ask("GET", "/readyz?verbose").text.splitlines()
    return [line.removeprefix("problem: ") for line in lines if line.startswith("problem: ")]


def bad_entries(gate: Gate) -> float:
    kinds = ("image_list", "records", "exceptions", "source")
    return sum(gate.metric(f'patchgate_bad_entries{{kind="{kind}"}}') for kind in kinds)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, self_signed: GateRunner) -> Iterator[tuple[Gate, Path]]:
    source = write_world(tmp_path_factory.mktemp("watching") / "source")
    with self_signed(source) as gate:
        yield gate, source


@pytest.fixture
def gate(running: tuple[Gate, Path]) -> Iterator[Gate]:
    """The module's gate, with all in force as it was at first."""
    gate, source = running
    for path in source.iterdir():
        path.rmdir() if path.is_dir() else path.unlink()
    write_world(source)
    gate.wait_until(lambda: (reasons(gate), problems(gate)) == (AT_FIRST, []))
    yield gate
    assert gate.process.poll() is None


@pytest.fixture
def source(running: tuple[Gate, Path], gate: Gate) -> Path:
    del gate  # which lays the source anew
    return running[1]


def replace_by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cut_in_half(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text[: text.index(b"data:") + 8])


def make_a_secret_of_it(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"kind: ConfigMap", b"kind: Secret"))


BREAKS: dict[str, Callable[[Path], object]] = {
    "half written": cut_in_half,
    "empty": lambda path: path.write_bytes(b""),
    "not UTF-8": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "a directory": replace_by_a_directory,
    "of another kind": make_a_secret_of_it,
    "gone": Path.unlink,
}


BROKEN = [(name, fault) for fault in BREAKS for name in LATER if (name, fault) != ("team-images", "gone")]
"""Not the labelled list: one that is gone goes."""


@pytest.mark.parametrize(("name", "fault"), BROKEN)
def test_a_file_that_breaks_leaves_the_last_good_in_force_until_it_is_mended(
    gate: Gate, source: Path, name: str, fault: str
) -> None:
    path, heard = source / f"{name}.yaml", len(gate.said)
    BREAKS[fault](path)
    gate.wait_until(lambda: problems(gate) != [])
    assert reasons(gate) == AT_FIRST
    assert gate.ask("GET", "/readyz").status == 200
    assert bad_entries(gate) == len(problems(gate))
    gate.wait_until(lambda: '"event":"data does not count"' in "".join(gate.said[heard:]))
    if path.is_dir():
        path.rmdir()
    configmap, image, reason = LATER[name]
    write_configmaps(source, configmap)
    gate.wait_until(lambda: (reasons(gate)[image], problems(gate)) == (reason, []))
    gate.wait_until(lambda: '"event":"data counts again"' in "".join(gate.said[heard:]))
    assert bad_entries(gate) == 0.0


def test_a_deleted_labelled_list_goes(gate: Gate, source: Path) -> None:
    (source / "copa-exceptions.yaml").unlink()
    (source / "team-images.yaml").unlink()
    gate.wait_until(lambda: "team-images" not in gate.ask("GET", "/readyz?verbose").text)
    assert reasons(gate) == AT_FIRST


def test_a_file_replaced_by_a_rename_is_in_force(gate: Gate, source: Path) -> None:
    write_configmaps(source / "part", image_list(BASE, OTHER))
    (source / "part" / "copa-image-list.yaml").rename(source / "copa-image-list.yaml")
    gate.wait_until(lambda: reasons(gate)[OTHER] == "Unscanned")


def test_a_flood_of_changes_ends_with_the_last_in_force(gate: Gate, source: Path) -> None:
    for number in range(500):
        tag = "1" if number == 499 else f"before-{number}"
        write_configmaps(source, team_list(TEAM, f"registry.example.com/team/later-{number}:1", f"{OTHER[:-1]}{tag}"))
    gate.wait_until(lambda: reasons(gate)[OTHER] == "Unscanned")
    assert gate.ask("POST", "/v1/decisions", {"images": ["registry.example.com/team/later-498:1"]}).json["reason"] == (
        "NotTracked"
    )
    assert gate.review(read_recorded("pod-create")).status == 200
    assert problems(gate) == []


@pytest.mark.parametrize("makes_it_anew", [False, True], ids=["moved", "made anew"])
def test_a_directory_that_goes_and_comes_back_is_followed_on(
    tmp_path: Path, self_signed: GateRunner, makes_it_anew: bool
) -> None:
    source, away = write_world(tmp_path / "source"), tmp_path / "away"
    with self_signed(source) as gate:
        source.rename(away)
        gate.wait_until(lambda: problems(gate) != [])
        gone = f"source: --source {source}: No such file or directory; name a directory of ConfigMaps"
        assert problems(gate) == [f"{gone}; the last good data stays in force"]
        assert (reasons(gate), gate.ask("GET", "/readyz").status) == (AT_FIRST, 200)
        assert gate.metric('patchgate_errors_total{where="source"}') >= 1.0
        if makes_it_anew:
            write_world(source)
        else:
            away.rename(source)
        gate.wait_until(lambda: problems(gate) == [])
        write_configmaps(source, image_list(BASE, OTHER))
        gate.wait_until(lambda: reasons(gate)[OTHER] == "Unscanned")


def mount(volume: Path, *lines: str) -> None:
    """Write a ConfigMap's volume as the kubelet does: a new directory, and one rename."""
    version = volume / f"..2026_{len(list(volume.iterdir()))}"
    write_configmaps(version, image_list(*lines))
    (volume / "..data_tmp").symlink_to(version.name)
    (volume / "..data_tmp").rename(volume / "..data")


def test_the_kubelets_swap_of_a_mounted_configmap_is_in_force(tmp_path: Path, self_signed: GateRunner) -> None:
    mount(tmp_path, BASE)
    (tmp_path / "copa-image-list.yaml").symlink_to("..data/copa-image-list.yaml")
    with self_signed(tmp_path) as gate:
        assert reasons(gate)[OTHER] == "NotTracked"
        mount(tmp_path, BASE, OTHER)
        gate.wait_until(lambda: reasons(gate)[OTHER] == "Unscanned")
        assert gate.metric('patchgate_bad_entries{kind="image_list"}') == 0.0


def test_a_cold_gate_becomes_ready_when_its_list_appears(tmp_path: Path, self_signed: GateRunner) -> None:
    with self_signed(tmp_path) as gate:
        assert [gate.ask("GET", path).status for path in ("/livez", "/readyz")] == [200, 503]
        answer = gate.review(read_recorded("pod-create"))
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert gate.metric("patchgate_ready") == 0.0
        assert gate.ask_ops("/v1/images").status == 503
        write_configmaps(tmp_path, image_list(BASE))
        gate.wait_until_ready()
        assert gate.review(read_recorded("pod-create")).json["response"]["allowed"] is True
        assert gate.metric("patchgate_ready") == 1.0
