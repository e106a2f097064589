"""S9: a line that stands for no image, or that the patcher refuses, loosens nothing once a run has looked at it."""

from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.configmaps.line_notes import write_notes
from patchgate.configmaps.record_book import read_book
from patchgate.patcher.record_books import put_notes
from patchgate.patcher.shard import Shard
from patchgate.policy.part import LineNote, LineState
from patchgate.policy.policy import Naming
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.verdict import Reason
from tests.patcher.worksite import API, API_REPOSITORY, Worksite
from tests.world import NOW, digest, image_list, records, team_list, verdict

UNKNOWN = f"{API_REPOSITORY}@{digest('never seen')}"
NINE = f"{API_REPOSITORY}:9.*"


def make_site(directory: Path, *lines: str) -> Worksite:
    site = Worksite(directory, API, *lines)
    site.registry.push(API, {"libssl3": 1})
    return site


def problems(world: Snapshot) -> list[str]:
    return [str(problem) for problem in world.list_problems(NOW)]


def test_a_pattern_that_matches_nothing_yet_loosens_nothing_once_a_run_has_looked(tmp_path: Path) -> None:
    site = make_site(tmp_path, NINE)
    assert verdict(UNKNOWN, site.store.load()).reason is Reason.UNSCANNED
    assert site.run().exit_code == 0, "it may match something one day"
    world = site.store.load()
    assert verdict(UNKNOWN, world).reason is Reason.UNLISTED
    assert verdict(f"{API_REPOSITORY}:9.1", world).reason is Reason.UNLISTED
    assert problems(world) == [
        f"copa-image-list: line 2: {NINE} stands for no tag of its registry: until one is pushed it lists nothing"
    ]


def test_it_lists_what_is_pushed_later(tmp_path: Path) -> None:
    site = make_site(tmp_path, NINE)
    site.run()
    site.registry.push(f"{API_REPOSITORY}:9.1", {"libssl3": 2})
    site.pass_time(hours=1)
    site.run()
    world = site.store.load()
    assert verdict(f"{API_REPOSITORY}:9.1", world, now=site.now).reason is Reason.APPROVED
    assert problems(world) == []


def test_a_pattern_for_too_many_tags_loosens_nothing(tmp_path: Path) -> None:
    site = make_site(tmp_path, f"{API_REPOSITORY}:*")
    for number in range(51):
        site.registry.push(f"{API_REPOSITORY}:{number}", {"libssl3": 2})
    assert site.run().exit_code == 1
    world = site.store.load()
    assert verdict(UNKNOWN, world).reason is Reason.UNLISTED
    refused = verdict(f"{API_REPOSITORY}:7", world)
    assert (refused.allowed, refused.reason) == (False, Reason.UNLISTED)
    assert "copa-image-list, line 2) lists nothing: stands for more than 50 tags: write narrower ones" in refused.text
    assert verdict(API, world).reason is Reason.PATCH_AVAILABLE, "a line of its own lists it"


@pytest.mark.parametrize("tag", ["1.4-patched-20260101", "1.4-candidate-20260101", "sha256-" + "0" * 64 + ".sig"])
def test_a_line_with_a_tag_that_is_no_image_loosens_nothing_from_the_start(tmp_path: Path, tag: str) -> None:
    site = make_site(tmp_path, f"{API_REPOSITORY}:{tag}")
    site.run()
    world = site.store.load()
    assert verdict(UNKNOWN, world).reason is Reason.UNLISTED
    assert verdict(f"{API_REPOSITORY}:{tag}", world).reason is Reason.UNLISTED
    assert any(f"{API_REPOSITORY}:{tag} is " in problem for problem in problems(world))


def test_where_the_registry_fails_a_pattern_has_the_time_of_an_images_sla(tmp_path: Path) -> None:
    site = make_site(tmp_path, NINE)
    site.registry.failures["LIST", API_REPOSITORY] = "the registry answers 500"
    assert site.run().exit_code == 1
    site.pass_time(hours=1)
    site.run()
    world = site.store.load()
    assert verdict(UNKNOWN, world, now=NOW + timedelta(hours=24)).reason is Reason.UNSCANNED
    assert verdict(UNKNOWN, world, now=NOW + timedelta(hours=24, seconds=1)).reason is Reason.UNLISTED
    assert any("cannot be expanded: the registry answers 500" in problem for problem in problems(world))


def test_a_digest_that_a_line_pins_and_nobody_has_does_not_stay_unscanned(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.run()
    gone = digest("never pushed")
    site.store.configmaps = (image_list(f"{API}@{gone}"),)
    assert verdict(f"{API}@{gone}", site.store.load()).reason is Reason.UNSCANNED
    site.pass_time(hours=1)
    site.run()
    refused = verdict(f"{API}@{gone}", site.store.load(), now=site.now)
    assert (refused.allowed, refused.reason) == (False, Reason.PATCH_AVAILABLE)


def test_a_run_of_named_images_notes_nothing_and_a_stopped_one_keeps_what_was_noted(tmp_path: Path) -> None:
    site = make_site(tmp_path, NINE)
    site.run(API)
    assert site.store.notes == {}
    site.run()
    noted = dict(site.store.notes)
    site.stop.ask("told to end")
    site.run()
    assert site.store.notes == noted != {}


def test_what_a_labelled_list_adds_loosens_nothing_of_the_main_one(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    site.store.configmaps = (image_list(API), team_list(NINE))
    site.run()
    assert verdict(UNKNOWN, site.store.load()).reason is Reason.UNLISTED


def test_a_shard_replaces_the_notes_of_its_own_lines_alone() -> None:
    mine, theirs = f"{API_REPOSITORY}:9.*", "registry.example.com/shop/web:8.*"
    shard = next(each for index in (0, 1) if (each := Shard(index, 2)).owns(API_REPOSITORY))
    assert not shard.owns("registry.example.com/shop/web")
    note = LineNote(LineState.EMPTY, NOW, "nothing")
    book = read_book(records(lines=write_notes({mine: note, theirs: note})["lines"]), Naming(), NOW)
    (after,), _ = put_notes((book,), {}, shard)
    assert after.part.notes == {theirs: note}


def test_a_note_that_cannot_be_read_is_reported_and_its_line_is_as_if_nobody_had_looked() -> None:
    bad = records({}, lines={NINE: {"state": "no such state", "since": 7}})
    book = read_book(bad, Naming(), NOW)
    assert book.part.notes == {}
    assert [problem.place for problem in book.part.problems] == [f"lines: {NINE}"]
