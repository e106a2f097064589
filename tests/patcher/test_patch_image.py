"""One image through a run, on simulators that work: what is asked, built, tagged, recorded, and what the gate says."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.patcher.image import Manifest
from patchgate.patcher.progress import Result, Step
from patchgate.policy.policy import Severity
from patchgate.policy.record import State
from tests.patcher.registry_simulator import AMD64, ARM64
from tests.patcher.worksite import API, API_REPOSITORY, HOST, PATCHED, TODAY, Worksite
from tests.world import NOW, digest, verdict


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1, "zlib1g": 7})
    return site


def test_a_vulnerable_image_is_patched_verified_tagged_and_approved(site: Worksite) -> None:
    source = site.registry.tags[API]
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == (Result.PATCHED, "1 CRITICAL finding fixed by libssl3 2")
    assert (outcome.fixable_before, outcome.fixable_after) == ({"CRITICAL": 1}, {})
    record = site.record()
    assert record.state is State.PATCHED
    assert record.source_digest == source
    assert record.approved
    assert str(record.approved) == f"{PATCHED}@{site.registry.tags[PATCHED]}"
    assert record.approved.platforms == {AMD64: site.registry.tags[PATCHED]}
    assert (record.first_vulnerable, record.patched, record.verified) == (NOW, NOW, NOW)
    assert site.progress.steps_of(API) == [
        Step.RESOLVE,
        Step.SCAN,
        Step.PATCH,
        Step.VERIFY,
        Step.TAG,
        Step.RECORD,
    ]


def test_the_gate_refuses_the_old_image_and_admits_the_new_one(site: Worksite) -> None:
    site.run()
    world = site.store.load()
    assert verdict(API, world).reason == "PatchAvailable"
    assert verdict(PATCHED, world).reason == "Approved"
    assert verdict(f"{API_REPOSITORY}@{site.registry.tags[PATCHED]}", world).reason == "Approved"


def test_it_is_patched_from_the_digest_that_was_resolved_and_scanned(site: Worksite) -> None:
    source = site.registry.tags[API]
    site.scanner.during = lambda _: site.registry.tags.update({API: "sha256:moved"})
    site.run()
    assert site.scanner.scans[0] == (f"{API}@{source}", AMD64)
    assert site.fixer.fixed == [(f"{API}@{source}", f"{API}-candidate-{TODAY}", (AMD64,))]
    assert site.record().source_digest == source


def test_the_candidate_is_scanned_by_its_digest_and_its_tag_is_gone_in_the_end(site: Worksite) -> None:
    site.run()
    assert site.scanner.scans[1] == (f"{API}-candidate-{TODAY}@{site.registry.tags[PATCHED]}", AMD64)
    assert site.registry.tags.keys() == {API, PATCHED}


def test_a_registry_that_keeps_tags_is_no_failure(site: Worksite) -> None:
    site.registry.keeps_tags = True
    assert site.run_one().result is Result.PATCHED
    assert f"{API}-candidate-{TODAY}" in site.registry.tags


def test_a_second_run_asks_two_heads_and_nothing_else(site: Worksite) -> None:
    site.run()
    site.registry.requests.clear()
    site.scanner.scans.clear()
    site.pass_time(hours=1)
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == (Result.UNCHANGED, "1 CRITICAL finding fixed by libssl3 2")
    assert site.registry.requests == [
        ("HEAD", API_REPOSITORY, "1.4"),
        ("HEAD", API_REPOSITORY, site.registry.tags[PATCHED]),
    ]
    assert (site.scanner.scans, len(site.fixer.fixed)) == ([], 1)
    assert site.record().verified == NOW + timedelta(hours=1)


def test_a_new_database_that_finds_nothing_new_is_one_scan_of_the_approved_digest_and_no_build(site: Worksite) -> None:
    site.run()
    site.scanner.scans.clear()
    site.pass_time(hours=6)
    database = site.update_database(curl=(9, Severity.CRITICAL))
    assert site.run_one().result is Result.UNCHANGED
    assert site.scanner.scans == [(f"{PATCHED}@{site.registry.tags[PATCHED]}", AMD64)]
    assert len(site.fixer.fixed) == 1
    scanner = site.record().scanner
    assert scanner
    assert (site.record().verified, scanner.database) == (site.now, database)


def test_a_new_database_with_a_new_finding_is_one_new_patch_and_the_earlier_approval_stays(site: Worksite) -> None:
    site.run()
    first = site.record().approved
    site.pass_time(hours=6)
    site.update_database(zlib1g=(8, Severity.CRITICAL))
    assert site.run_one().result is Result.PATCHED
    record = site.record()
    assert record.approved
    assert record.approved.tagged == f"{PATCHED}.02"
    assert record.earlier == (first,)
    assert len(site.fixer.fixed) == 2
    assert site.fixer.fixed[1][0].startswith(f"{API}@"), "patched from the source, never from a patched image"


def test_a_database_older_than_what_counts_refreshes_nothing(site: Worksite) -> None:
    site.run()
    verified = site.record().verified
    site.pass_time(hours=25)
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert "the vulnerability database is 26 h old" in outcome.message
    assert site.record().verified == verified


def test_a_clean_image_is_approved_itself(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    digest = site.registry.push(API, {"libssl3": 2})
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == (Result.CLEAN, "nothing to fix at CRITICAL or above")
    assert str(site.record().approved) == f"{API}@{digest}"
    assert site.fixer.fixed == []
    assert verdict(API, site.store.load()).reason == "Approved"


def test_a_clean_image_in_which_something_is_found_is_scanned_once_and_patched(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 2})
    site.run()
    site.scanner.scans.clear()
    site.update_database(libssl3=(3, Severity.CRITICAL))
    assert site.run_one().result is Result.PATCHED
    assert [image.partition("@")[0] for image, _ in site.scanner.scans] == [API, f"{API}-candidate-{TODAY}"]
    assert verdict(API, site.store.load()).reason == "PatchAvailable"


def test_findings_below_the_threshold_are_patched_along_and_alone_cost_no_build(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, f"{API}-low")
    site.scanner.vulnerable |= {"zlib1g": (8, Severity.LOW)}
    site.registry.push(API, {"libssl3": 1, "zlib1g": 7})
    site.registry.push(f"{API}-low", {"zlib1g": 7})
    assert site.results(site.run()) == {API: Result.PATCHED, f"{API}-low": Result.CLEAN}
    patched = site.registry.read(API_REPOSITORY, site.registry.tags[PATCHED])["packages"]
    assert (patched["libssl3"], patched["zlib1g"], len(site.fixer.fixed)) == (2, 8, 1)


def test_of_an_index_the_platforms_of_the_policy_are_patched_and_the_others_stay(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, platforms=f"{AMD64}, {ARM64}")
    site.registry.push_index(API, {AMD64: {"libssl3": 1}, ARM64: {"libssl3": 2}, "linux/s390x": {"libssl3": 1}})
    source = site.registry.read(API_REPOSITORY, site.registry.tags[API])["manifests"]
    outcome = site.run_one()
    assert outcome.result is Result.PATCHED
    assert outcome.message == (
        "1 CRITICAL finding fixed by libssl3 2; not looked at, as the policy does not name them: linux/s390x"
    )
    assert site.fixer.fixed[0][2] == (AMD64,), "what has no findings is not given to Copa"
    patched = site.registry.read(API_REPOSITORY, site.registry.tags[PATCHED])["manifests"]
    assert {name for name in source if source[name] != patched[name]} == {AMD64}
    approved = site.record().approved
    assert approved
    assert approved.platforms == {AMD64: patched[AMD64], ARM64: source[ARM64]}
    assert site.registry.tags.keys() == {API, PATCHED}, "nor is a candidate's tag of one platform left"


def test_an_image_with_none_of_the_platforms_fails_and_says_so(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push_index(API, {ARM64: {"libssl3": 1}})
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert AMD64 in outcome.message


def test_a_candidate_that_is_vulnerable_still_is_never_tagged_patched(site: Worksite) -> None:
    site.fixer.mirror["libssl3"] = 1
    outcome = site.run_one()
    assert outcome.result is Result.PENDING
    assert "libssl3" in outcome.message
    assert site.registry.tags.keys() == {API}
    assert (site.record().state, site.record().approved) == (State.PENDING, None)
    assert verdict(API, site.store.load()).reason == "WithinSla"


def test_a_candidate_that_lost_a_platform_is_never_tagged_patched(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push_index(API, {AMD64: {"libssl3": 1}, ARM64: {"libssl3": 1}})
    site.fixer.loses = {ARM64}
    outcome = site.run_one()
    assert outcome.result is Result.PENDING
    assert site.registry.tags.keys() == {API}
    assert ARM64 in outcome.message


def test_copa_that_ends_well_and_pushes_nothing_is_a_failure(site: Worksite) -> None:
    site.fixer.pushes = False
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert outcome.message.startswith("Copa ended well and pushed nothing")
    assert site.registry.tags.keys() == {API}


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"os": ("", "")}, "no OS packages"),
        ({"os": ("wolfi", "1")}, "wolfi 1"),
        ({"os": ("debian", "8")}, "end of life"),
    ],
)
def test_what_nobody_can_patch_is_recorded_as_such(tmp_path: Path, described: dict[str, object], said: str) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1}, **described)
    site.scanner.ended = {"debian"} if described["os"] == ("debian", "8") else set()
    outcome = site.run_one()
    assert outcome.result is Result.UNPATCHABLE
    assert said in outcome.message
    assert (site.record().state, site.fixer.fixed) == (State.UNPATCHABLE, [])
    assert verdict(API, site.store.load()).reason == "Unpatchable"


def test_a_clean_image_whose_os_comes_to_its_end_is_no_longer_clean(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 2})
    site.run()
    site.update_database()
    site.scanner.ended = {"debian"}
    assert site.run_one().result is Result.UNPATCHABLE
    assert site.record().approved is None


def test_the_right_to_push_is_checked_before_the_build(site: Worksite) -> None:
    site.registry.failures["CHECK", API_REPOSITORY] = "push refused: 403"
    outcome = site.run_one()
    assert (outcome.result, outcome.message, site.fixer.fixed) == (Result.FAILED, "push refused: 403", [])
    assert site.record().first_vulnerable == NOW


@pytest.mark.parametrize("verb", ["HEAD", "GET", "TAG"])
def test_a_registry_that_refuses_is_that_images_failure_and_costs_no_approval(site: Worksite, verb: str) -> None:
    site.run()
    approved = site.record().approved
    site.update_database(zlib1g=(8, Severity.CRITICAL))
    site.registry.failures[verb, API_REPOSITORY] = f"{verb} refused"
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == (Result.FAILED, f"{verb} refused")
    assert (site.record().state, site.record().approved) == (State.FAILED, approved)
    assert f"{PATCHED}.02" not in site.registry.tags


def test_a_candidates_tag_that_cannot_be_deleted_is_no_failure(site: Worksite) -> None:
    site.registry.failures["DELETE", API_REPOSITORY] = "500"
    assert site.run_one().result is Result.PATCHED


def test_a_scan_that_fails_is_a_failure_and_never_clean(site: Worksite) -> None:
    site.scanner.failures[API] = "the report is empty"
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == (Result.FAILED, "the report is empty")
    assert site.record().approved is None


def test_a_candidate_whose_scan_fails_is_never_tagged_patched(site: Worksite) -> None:
    site.scanner.failures[f"{API}-candidate-{TODAY}"] = "no report came"
    assert site.run_one().result is Result.FAILED
    assert site.registry.tags.keys() == {API, f"{API}-candidate-{TODAY}"}, "the next run goes on from it"
    assert site.record().first_vulnerable == NOW, "the clock of the SLA runs"


def test_a_build_that_fails_says_why_and_starts_the_clock(site: Worksite) -> None:
    site.fixer.failures[API] = "BuildKit is gone"
    outcome = site.run_one()
    assert (outcome.result, outcome.message, outcome.fixable_before) == (
        Result.FAILED,
        "BuildKit is gone",
        {"CRITICAL": 1},
    )
    assert site.record().first_vulnerable == NOW


def test_a_tag_that_is_gone_fails_and_says_what_to_do(site: Worksite) -> None:
    del site.registry.tags[API]
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert "mend the tag in the image list" in outcome.message


def test_an_approved_image_that_is_gone_from_the_registry_is_made_anew(site: Worksite) -> None:
    site.run()
    gone = site.registry.tags.pop(PATCHED)
    del site.registry.manifests[API_REPOSITORY, gone]
    assert site.run_one().result is Result.PATCHED
    assert site.registry.tags[PATCHED] != gone


def test_a_tag_that_moved_is_scanned_and_the_vulnerable_digest_before_is_remembered(site: Worksite) -> None:
    before = site.registry.tags[API]
    site.run()
    site.registry.push(API, {"libssl3": 2})
    assert site.run_one().result is Result.CLEAN
    assert site.record().earlier_sources == (before,)
    assert site.record().first_vulnerable is None


def test_a_line_with_a_digest_is_resolved_by_it(tmp_path: Path) -> None:
    site = Worksite(tmp_path)
    pinned = site.registry.push(API, {"libssl3": 1})
    site.store.configmaps = Worksite(tmp_path, f"{API}@{pinned}").lists
    site.registry.push(API, {"libssl3": 2})
    assert site.run_one().result is Result.PATCHED
    assert site.registry.requests[0] == ("HEAD", API_REPOSITORY, pinned)
    assert site.record().source_digest == pinned


def test_a_patched_image_goes_where_the_policy_says(tmp_path: Path) -> None:
    site = Worksite(tmp_path, "nginx:1.25", push_to=f"docker.io/library = {HOST}/patched")
    site.registry.push("docker.io/library/nginx:1.25", {"libssl3": 1})
    site.run()
    approved = site.record("docker.io/library/nginx:1.25").approved
    assert approved
    assert approved.tagged == f"{HOST}/patched/nginx:1.25-patched-{TODAY}"
    assert site.registry.tags[approved.tagged] == approved.digest
    assert ("CHECK", f"{HOST}/patched/nginx", "") in site.registry.requests


def test_a_tag_of_today_with_other_content_is_never_overwritten(site: Worksite) -> None:
    other = site.registry.push(PATCHED, {"libssl3": 1})
    site.registry.push(f"{API}-candidate-{TODAY}", {"libssl3": 1})
    site.run()
    assert site.fixer.fixed[0][1] == f"{API}-candidate-{TODAY}.02"
    approved = site.record().approved
    assert approved
    assert (approved.tagged, site.registry.tags[PATCHED]) == (f"{PATCHED}.02", other)


def test_a_candidates_tag_that_another_run_is_building_is_not_waited_for(site: Worksite) -> None:
    with site.store.hold_tag(f"{API}-candidate-{TODAY}", 0):
        assert site.run_one().result is Result.PATCHED
    assert site.fixer.fixed[0][1] == f"{API}-candidate-{TODAY}.02"


def test_a_tag_that_appears_while_the_image_is_built_is_never_overwritten(site: Worksite) -> None:
    site.fixer.during = lambda _: (site.registry.push(PATCHED, {"libssl3": 5}), None)[1]
    site.run()
    approved = site.record().approved
    assert approved
    assert approved.tagged == f"{PATCHED}.02"


def test_an_image_whose_time_is_over_fails_and_says_so(site: Worksite) -> None:
    (outcome,) = site.run(image_seconds=-1).outcomes
    assert (outcome.result, outcome.message) == (
        Result.FAILED,
        "took longer than -1 s; give it more with --image-limit-seconds",
    )


def test_a_record_that_cannot_be_written_fails_the_image_and_says_both(site: Worksite) -> None:
    site.store.failures[API] = "no ConfigMap has room"
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert outcome.message == "no ConfigMap has room; nor could that be recorded: no ConfigMap has room"


def test_a_full_disk_is_that_images_failure(site: Worksite) -> None:
    def fill_up(_: str) -> None:
        raise OSError(28, "No space left on device")

    site.scanner.during = fill_up
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert outcome.message == "here: No space left on device"
    assert site.record().state is State.FAILED


def test_nothing_is_left_in_the_runs_directory(site: Worksite) -> None:
    site.run()
    assert list(site.directory.iterdir()) == []


def test_the_tag_that_a_failed_build_of_a_platform_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, platforms=f"{AMD64},{ARM64}")
    site.registry.push_index(API, {AMD64: {"libssl3": 1}, ARM64: {"libssl3": 1}})
    left = f"{API}-candidate-{TODAY}-amd64"
    site.registry.push(left, {"libssl3": 2})  # immutable: pushing to it again is refused
    before = site.registry.tags[left]
    assert site.run_one().result is Result.PATCHED
    assert site.registry.tags[left] == before
    assert site.fixer.fixed[0][1] == f"{API}-candidate-{TODAY}.02"


@pytest.mark.parametrize("has_new_database", [False, True])
def test_an_approved_index_whose_platform_is_gone_is_built_anew(tmp_path: Path, *, has_new_database: bool) -> None:
    site = Worksite(tmp_path, API, platforms=f"{AMD64},{ARM64}")
    site.registry.push_index(API, {AMD64: {"libssl3": 1}, ARM64: {"libssl3": 1}})
    site.run()
    first = site.record().approved
    assert first is not None
    del site.registry.manifests[API_REPOSITORY, first.platforms[ARM64]]
    site.pass_time(hours=1)
    if has_new_database:
        site.update_database()
    assert site.run_one().result is Result.PATCHED
    again = site.record().approved
    assert again is not None
    assert (again.tag, again.platforms[ARM64] != first.platforms[ARM64]) == (f"1.4-patched-{TODAY}.02", True)


def test_what_stays_of_an_index_is_copied_to_where_it_goes_before_it_is_patched(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, push_to=f"{HOST}/shop = {HOST}/patched")
    index = site.registry.push_index(API, {AMD64: {"libssl3": 1}, ARM64: {"libssl3": 1}})
    arm64 = site.registry.read(API_REPOSITORY, index)["manifests"][ARM64]
    there: list[bool] = []
    site.fixer.during = lambda _: there.append((f"{HOST}/patched/api", arm64) in site.registry.manifests)
    assert site.run_one().result is Result.PATCHED
    assert there == [True]
    assert site.registry.count("COPY") == 1
    approved = site.record().approved
    assert approved is not None
    assert approved.repository == f"{HOST}/patched/api"


def test_an_index_that_would_have_to_be_copied_in_hundreds_of_platforms_fails(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, push_to=f"{HOST}/shop = {HOST}/patched")
    site.registry.push_index(API, {AMD64: {"libssl3": 1}, **{f"linux/odd{number}": {} for number in range(33)}})
    outcome = site.run_one()
    assert (outcome.result, site.registry.count("COPY")) == (Result.FAILED, 0)
    assert outcome.message == "its index has 33 platforms beside those to patch: push one with fewer"


def test_an_index_with_an_entry_without_platform_is_refused_before_copa_would_panic(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push_index(API, {AMD64: {"libssl3": 1}})
    known, unnamed = site.registry.describe, digest("no platform")

    def describe(repository: str, digest: str) -> Manifest:
        return replace(known(repository, digest), unnamed=(unnamed,))

    site.registry.describe = describe  # type: ignore[method-assign]
    outcome = site.run_one()
    assert outcome.result is Result.FAILED
    assert outcome.message == f"its index has an entry without a platform ({unnamed}): push it with platforms"
    assert site.fixer.fixed == []
