"""What an interrupted run has built is verified and used, and not built again; and never where it would be another."""

from dataclasses import replace
from pathlib import Path

import pytest

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.records import read_records
from patchgate.configmaps.write_records import write_records
from patchgate.patcher.progress import Result
from patchgate.policy.part import RecordsPart
from patchgate.policy.policy import Severity
from patchgate.policy.record import State
from tests.patcher.worksite import API, API_REPOSITORY, PATCHED, TODAY, Worksite
from tests.world import NAMES, NOW, verdict

CANDIDATE = f"{API}-candidate-{TODAY}"


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    """A run was interrupted when it had built a candidate, and not verified it."""
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1, "zlib1g": 7})
    site.scanner.failures[CANDIDATE] = "killed"
    assert site.run_one().result is Result.FAILED
    site.scanner.failures.clear()
    assert len(site.fixer.fixed) == 1
    return site


def test_the_next_run_verifies_tags_and_approves_it_without_a_build(site: Worksite) -> None:
    built = site.registry.tags[CANDIDATE]
    site.pass_time(minutes=5)
    assert site.run_one().result is Result.PATCHED
    assert len(site.fixer.fixed) == 1
    assert site.registry.tags.keys() == {API, PATCHED}
    assert site.registry.tags[PATCHED] == built
    assert site.scanner.scans[-1][0] == f"{CANDIDATE}@{built}"
    assert site.record().unverified is None
    assert verdict(PATCHED, site.store.load()).reason == "Approved"


def test_it_needs_no_buildkit(site: Worksite) -> None:
    site.fixer.is_gone = True
    assert site.run_one().result is Result.PATCHED


def test_it_is_scanned_before_it_is_approved(site: Worksite) -> None:
    site.scanner.vulnerable["zlib1g"] = (8, Severity.CRITICAL)  # the database is as old as before, its word is not
    outcome = site.run_one()
    assert outcome.result is Result.PENDING
    assert PATCHED not in site.registry.tags
    assert site.record().unverified is None, "the run after it builds"
    assert CANDIDATE not in site.registry.tags


def test_with_a_new_database_it_is_built_anew(site: Worksite) -> None:
    built = site.registry.tags[CANDIDATE]
    site.update_database()
    assert site.run_one().result is Result.PATCHED
    assert len(site.fixer.fixed) == 2
    assert site.registry.tags[PATCHED] != built
    assert site.registry.tags.keys() == {API, PATCHED}, "the tag of the one before is gone"


def test_of_a_source_that_moved_it_is_built_anew(site: Worksite) -> None:
    site.registry.push(API, {"libssl3": 1, "zlib1g": 8})
    assert site.run_one().result is Result.PATCHED
    assert len(site.fixer.fixed) == 2
    packages = site.registry.read(API_REPOSITORY, site.registry.tags[PATCHED])["packages"]
    assert (packages["libssl3"], packages["zlib1g"]) == (2, 8)


def test_one_that_the_registry_has_lost_is_built_anew(site: Worksite) -> None:
    del site.registry.manifests[API_REPOSITORY, site.registry.tags.pop(CANDIDATE)]
    assert site.run_one().result is Result.PATCHED
    assert len(site.fixer.fixed) == 2


def test_one_whose_tag_alone_is_gone_is_gone_on_from(site: Worksite) -> None:
    del site.registry.tags[CANDIDATE]
    assert site.run_one().result is Result.PATCHED
    assert len(site.fixer.fixed) == 1


def test_a_candidate_that_no_record_tells_of_is_nobodys_and_stays(site: Worksite) -> None:
    site.store.records[API] = replace(site.record(), unverified=None)
    stranger = site.registry.tags[CANDIDATE]
    assert site.run_one().result is Result.PATCHED
    assert site.fixer.fixed[-1][1] == f"{CANDIDATE}.02"
    assert site.registry.tags[CANDIDATE] == stranger


def test_a_tag_that_means_something_else_by_now_is_not_taken_away(site: Worksite) -> None:
    other = site.registry.push(CANDIDATE, {"libssl3": 3})
    site.update_database()
    assert site.run_one().result is Result.PATCHED
    assert site.registry.tags[CANDIDATE] == other


@pytest.mark.parametrize("tag", ["1.4", "1.4-patched-20260509", "2.0-candidate-20260509", "1.4-candidate-20260509.2"])
def test_a_record_that_names_another_tag_has_it_neither_used_nor_deleted(site: Worksite, tag: str) -> None:
    left = site.record().unverified
    assert left
    site.store.records[API] = replace(site.record(), unverified=replace(left, tag=tag))
    site.update_database()
    before = dict(site.registry.tags)
    assert site.run_one().result is Result.PATCHED
    assert before.items() <= site.registry.tags.items()


def test_what_was_approved_before_stays_while_a_new_one_waits_to_be_verified(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1, "zlib1g": 7})
    site.run()
    approved = site.record().approved
    site.registry.push(API, {"libssl3": 1, "zlib1g": 9})
    site.fixer.during = lambda _: site.stop.ask("told to end")
    site.pass_time(hours=1)
    assert site.run_one().result is Result.LEFT
    assert (site.record().approved, site.record().state) == (approved, State.PENDING)
    assert site.record().unverified
    assert verdict(PATCHED, site.store.load()).reason == "Approved"


def test_a_note_that_cannot_be_read_costs_a_build_and_no_approval(site: Worksite) -> None:
    data = write_records(RecordsPart(NAMES.records, {API: site.record()}, {}, 1, None, ()))
    good = read_records(ConfigMap(NAMES.records, {}, data), None, NOW)
    assert good.records[API].unverified == site.record().unverified
    for spoilt in ('"unverified": 7', '"unverified": {"reference": "nginx"}', '"unverified": null'):
        text = data["records.json"]
        start = text.index('"unverified"')
        end = text.index("}", start) + 1
        read = read_records(
            ConfigMap(NAMES.records, {}, {"records.json": text[:start] + spoilt + text[end:]}), None, NOW
        )
        assert not read.problems
        assert read.records[API] == replace(site.record(), unverified=None)
