"""Which name counts as what, and what stays in force when a ConfigMap breaks or goes: trust is by name."""

from dataclasses import replace

import pytest

from patchgate.configmaps.assemble import assemble
from patchgate.configmaps.configmap import ConfigMap, Names
from patchgate.policy.snapshot import Snapshot
from tests.world import NAMES, NOW, digest, exceptions, image_list, patched, records, snapshot, team_list, verdict

API = "registry.example.com/myapp/api:1.4.2"
PATCHED = f"registry.example.com/myapp/api@{digest('patched')}"
LINE = f"registry.example.com/myapp/api@{digest('patched')}  # patched from {API} on 20260508"
EXCEPTION = f"- {{image: '{API}', reason: r, owner: o, expires: 2026-05-15T00:00:00Z}}"
LIST, RECORDS, EXCEPTIONS = image_list(API), records({API: patched(f"{API}-patched-20260509")}), exceptions(EXCEPTION)


def say_problems(world: Snapshot) -> list[str]:
    return [str(problem) for problem in world.list_problems(NOW)]


def under(name: str, configmap: ConfigMap, *, is_labelled: bool = True) -> ConfigMap:
    """The ConfigMap as a stranger makes it: under another name, labelled as an image list."""
    return replace(configmap, name=name, labels={NAMES.label: "true"} if is_labelled else {})


@pytest.mark.parametrize("is_labelled", [True, False])
@pytest.mark.parametrize(
    "name",
    ["team-images", "copa-patched-digests-8", "copa-patched-digests-0", "copa-patched-digests-07", "copa-exceptions-1"],
)
@pytest.mark.parametrize("theirs", [RECORDS, records(digests=[LINE]), EXCEPTIONS])
def test_a_strangers_configmap_approves_and_excepts_nothing(theirs: ConfigMap, name: str, *, is_labelled: bool) -> None:
    world = snapshot(image_list(API, unscanned="deny"), under(name, theirs, is_labelled=is_labelled))
    assert [verdict(image, world).reason for image in (API, PATCHED)] == ["Unscanned", "Unscanned"]


@pytest.mark.parametrize("name", ["copa-patched-digests", "copa-patched-digests-1", "copa-patched-digests-7"])
def test_records_count_under_each_of_their_names(name: str) -> None:
    world = snapshot(LIST, replace(RECORDS, name=name))
    assert verdict(PATCHED, world).reason == "Approved"


def test_how_many_configmaps_of_records_count_is_a_setting() -> None:
    configmaps = [LIST, replace(RECORDS, name="copa-patched-digests-3")]
    assert verdict(PATCHED, assemble(configmaps, (), None, Names(record_configmaps=3), NOW)).reason == "Approved"
    assert verdict(PATCHED, assemble(configmaps, (), None, Names(record_configmaps=2), NOW)).reason == "Unscanned"


def test_a_labelled_configmap_adds_lines_and_no_policy() -> None:
    world = snapshot(
        LIST, replace(team_list("ghcr.io/team/tool:1"), data={"images.txt": "a.io/b:1", "unlisted": "allow"})
    )
    assert verdict("a.io/b:2", world).reason == "Unlisted"
    assert verdict(f"{API}-other", world).allowed is False


@pytest.mark.parametrize("label", ["false", "True", "yes", ""])
def test_only_the_label_true_makes_a_list(label: str) -> None:
    world = snapshot(LIST, replace(team_list("a.io/b:1"), labels={NAMES.label: label}))
    assert verdict("a.io/b:1", world).reason == "NotTracked"
    advice = "write 'true', or 'false' if it is not an image list"
    told = f"team-images: label {NAMES.label}: {label!r} makes it no image list: {advice}"
    assert list(map(str, world.list_problems(NOW))) == ([] if label == "false" else [told])


@pytest.mark.parametrize("name", ["copa-exceptions", "copa-patched-digests", "copa-patched-digests-7"])
def test_a_label_on_a_reserved_name_adds_no_list(name: str) -> None:
    world = snapshot(LIST, under(name, team_list("a.io/b:1")))
    assert verdict("a.io/b:1", world).reason == "NotTracked"


def test_a_label_on_the_main_list_takes_nothing_from_it() -> None:
    world = snapshot(replace(image_list("a.io/b:1", unscanned="deny"), labels={NAMES.label: "true"}))
    assert world.is_complete
    assert verdict("a.io/b:1", world).allowed is False


def test_without_the_main_list_it_is_not_known_what_is_tracked() -> None:
    assert not snapshot(RECORDS, EXCEPTIONS, team_list(API)).is_complete
    assert not snapshot().is_complete


def test_an_empty_main_list_is_a_main_list() -> None:
    world = snapshot(image_list())
    assert world.is_complete
    assert verdict(API, world).reason == "NotTracked"
    assert say_problems(world) == []


@pytest.mark.parametrize("name", ["copa-image-list", "copa-patched-digests", "copa-exceptions"])
def test_a_deleted_configmap_of_ours_stays_in_force_and_is_reported(name: str) -> None:
    world = snapshot(previous=snapshot(LIST, RECORDS, EXCEPTIONS), deleted=[name])
    assert world.is_complete
    assert [verdict(image, world).reason for image in (API, PATCHED)] == ["Excepted", "Approved"]
    assert say_problems(world) == [f"{name}: is gone; its last good content stays in force"]


def test_a_configmap_that_comes_back_is_read_anew_and_no_longer_reported() -> None:
    gone = snapshot(previous=snapshot(LIST, RECORDS), deleted=["copa-image-list", "copa-patched-digests"])
    world = snapshot(LIST, records(), previous=gone)
    assert say_problems(world) == []
    assert verdict(PATCHED, world).reason == "Unscanned"


def test_a_deleted_configmap_that_was_never_seen_is_nothing() -> None:
    world = snapshot(previous=snapshot(LIST), deleted=["copa-exceptions", "something-else"])
    assert say_problems(world) == []


def test_a_deleted_labelled_list_goes() -> None:
    before = snapshot(LIST, team_list("a.io/b:1"))
    assert verdict("a.io/b:1", before).reason == "Unscanned"
    assert verdict("a.io/b:1", snapshot(previous=before, deleted=["team-images"])).reason == "NotTracked"


def test_a_list_goes_with_its_label() -> None:
    before = snapshot(LIST, team_list("a.io/b:1"))
    world = snapshot(image_list("a.io/b:1", name="team-images"), previous=before)
    assert verdict("a.io/b:1", world).reason == "NotTracked"


def test_a_labelled_list_may_be_emptied() -> None:
    world = snapshot(team_list(), previous=snapshot(LIST, team_list("a.io/b:1")))
    assert verdict("a.io/b:1", world).reason == "NotTracked"


def test_only_what_changed_is_read_again() -> None:
    before = snapshot(LIST, RECORDS, EXCEPTIONS)
    world = snapshot(image_list(API, "a.io/b:1"), previous=before)
    assert world.parts["copa-patched-digests"] is before.parts["copa-patched-digests"]
    assert world.parts["copa-exceptions"] is before.parts["copa-exceptions"]


def test_each_configmap_of_ours_keeps_its_last_good_content_when_it_breaks() -> None:
    before = snapshot(LIST, RECORDS, EXCEPTIONS)
    broken = [
        ConfigMap("copa-image-list", {}, {}),
        ConfigMap("copa-patched-digests", {}, {"records.json": "{"}),
        ConfigMap("copa-exceptions", {}, {"exceptions.yaml": "{"}),
    ]
    world = snapshot(*broken, previous=before)
    assert verdict(API, world).reason == "Excepted"
    assert verdict(PATCHED, world).reason == "Approved"
    assert {problem.configmap for problem in world.list_problems(NOW)} == {configmap.name for configmap in broken}
