"""A run over many images, on simulators that work: what is chosen, in what order, side by side, and how it ends."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.errors import SetupError, SourceError
from patchgate.patcher.preview import Action, preview_run
from patchgate.patcher.progress import Result
from patchgate.patcher.run import run_patcher
from patchgate.patcher.side_by_side import Pace
from patchgate.patcher.stop import Stop
from patchgate.policy.part import Problem
from patchgate.policy.policy import Severity
from patchgate.policy.record import State
from tests.patcher.worksite import API, API_REPOSITORY, HOST, PATCHED, TODAY, Worksite
from tests.world import NOW, image_list, team_list, verdict

WEB = f"{HOST}/shop/web:2"
JOB = f"{HOST}/shop/job:3"
WAIT_SECONDS = 60.0


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    """Two images that are vulnerable and one that is clean."""
    site = Worksite(tmp_path, API, WEB, JOB)
    site.registry.push(API, {"libssl3": 1})
    site.registry.push(WEB, {"libssl3": 1})
    site.registry.push(JOB, {"libssl3": 2})
    return site


def test_every_listed_image_is_brought_forward(site: Worksite) -> None:
    summary = site.run(jobs=3)
    assert site.results(summary) == {API: Result.PATCHED, WEB: Result.PATCHED, JOB: Result.CLEAN}
    assert (summary.exit_code, summary.states) == (0, {State.PATCHED: 2, State.CLEAN: 1})
    assert site.store.last_run == NOW
    assert sorted(outcome.key for outcome in site.progress.outcomes) == sorted([API, WEB, JOB])


def test_one_failure_costs_no_other_image_and_the_run_exits_1(site: Worksite) -> None:
    site.fixer.failures[API] = "BuildKit is gone"
    summary = site.run()
    assert site.results(summary) == {API: Result.FAILED, WEB: Result.PATCHED, JOB: Result.CLEAN}
    assert summary.exit_code == 1
    assert str(summary).startswith("3 images: 1 patched, 1 clean, 1 failed, in 0 s; ")
    assert str(summary).endswith(f"{API}: BuildKit is gone")
    assert site.store.last_run == NOW, "it went through all of them"


def test_without_buildkit_what_needs_no_build_is_refreshed_all_the_same(site: Worksite) -> None:
    site.run()
    site.pass_time(hours=1)
    site.registry.push(WEB, {"libssl3": 1, "new": 1})
    site.fixer.is_gone = True
    summary = site.run()
    assert site.results(summary) == {API: Result.UNCHANGED, WEB: Result.FAILED, JOB: Result.UNCHANGED}
    assert site.record().verified == site.now


def test_a_defect_in_one_image_costs_no_other(site: Worksite) -> None:
    def stumble(image: str) -> None:
        if image.startswith(API):
            raise KeyError("token=hidden")

    site.fixer.during = stumble
    summary = site.run()
    assert site.results(summary) == {API: Result.FAILED, WEB: Result.PATCHED, JOB: Result.CLEAN}
    (failed,) = [outcome for outcome in summary.outcomes if outcome.key == API]
    assert failed.message.startswith("a defect of patchgate, please report it: KeyError in test_run.py, line ")
    assert "hidden" not in failed.message


def test_what_waits_for_others_is_no_failure_of_the_run(site: Worksite) -> None:
    site.fixer.mirror["libssl3"] = 1
    summary = site.run()
    assert site.results(summary) == {API: Result.PENDING, WEB: Result.PENDING, JOB: Result.CLEAN}
    assert summary.exit_code == 0


def test_the_image_that_was_verified_longest_ago_comes_first_and_a_new_one_before_it(site: Worksite) -> None:
    site.run(WEB)
    site.pass_time(hours=1)
    site.run(API)
    site.progress.steps.clear()
    site.run()
    assert list(dict.fromkeys(key for key, _ in site.progress.steps)) == [JOB, WEB, API]


def test_named_images_alone_are_brought_forward_and_the_run_of_all_is_not_noted(site: Worksite) -> None:
    site.pass_time(hours=1)
    assert site.results(site.run(WEB)) == {WEB: Result.PATCHED}
    assert site.store.last_run is None


def test_an_image_may_be_named_in_any_spelling(tmp_path: Path) -> None:
    site = Worksite(tmp_path, "nginx:latest", mirrors="mirror.example.com = docker.io")
    site.registry.push("docker.io/library/nginx:latest", {"libssl3": 2})
    for spelling in ("nginx", "docker.io/nginx:latest", "index.docker.io/library/nginx", "mirror.example.com/nginx"):
        assert site.results(site.run(spelling)).keys() == {"docker.io/library/nginx:latest"}


@pytest.mark.parametrize("image", ["registry.example.com/shop/other:1", "registry.example.com/shop/api:1.5", "NO"])
def test_an_image_that_is_not_listed_is_refused_before_anything_is_done(site: Worksite, image: str) -> None:
    with pytest.raises(SetupError, match=image):
        site.run(API, image)
    assert (site.progress.steps, site.store.writes) == ([], [])


def test_a_pattern_is_expanded_and_never_to_what_the_patcher_itself_made(tmp_path: Path) -> None:
    site = Worksite(tmp_path, f"{API_REPOSITORY}:1.*")
    site.registry.push(API, {"libssl3": 1})
    site.registry.push(f"{API_REPOSITORY}:1.5", {"libssl3": 2})
    assert site.results(site.run()).keys() == {API, f"{API_REPOSITORY}:1.5"}
    assert PATCHED in site.registry.tags
    assert site.results(site.run()).keys() == {API, f"{API_REPOSITORY}:1.5"}


def test_a_pattern_that_cannot_be_expanded_fails_alone(site: Worksite) -> None:
    site.store.configmaps = (image_list(API, f"{HOST}/shop/many:*"),)
    site.registry.failures["LIST", f"{HOST}/shop/many"] = "401 from registry.example.com"
    summary = site.run()
    assert site.results(summary) == {API: Result.PATCHED, "copa-image-list, line 2": Result.FAILED}
    assert "401 from registry.example.com" in summary.outcomes[-1].message
    assert summary.exit_code == 1
    with pytest.raises(SetupError, match="401 from registry"):
        site.run(f"{HOST}/shop/many:1")


def test_images_are_worked_on_side_by_side_up_to_the_limit(site: Worksite) -> None:
    meeting = threading.Barrier(2)
    site.fixer.during = lambda _: (meeting.wait(WAIT_SECONDS), None)[1]
    summary = site.run(jobs=2)
    assert site.results(summary)[API] is site.results(summary)[WEB] is Result.PATCHED


def test_told_to_stop_it_begins_nothing_new_and_says_what_was_left(site: Worksite) -> None:
    site.scanner.during = lambda _: site.stop.ask("told to end by SIGTERM")
    summary = site.run()
    assert set(site.results(summary).values()) == {Result.LEFT}
    assert {outcome.message for outcome in summary.outcomes} == {"left for the next run: told to end by SIGTERM"}
    assert (summary.exit_code, site.store.writes, site.fixer.fixed) == (1, [API, API, API], [])
    assert site.record().unended == 0, "it was given up in an orderly way"
    assert site.store.last_run is None, "or what was left would soon be called stale by its own fault"


def test_told_to_stop_it_finishes_the_record_that_it_is_about_to_write(site: Worksite) -> None:
    site.registry.before = lambda verb, *_: site.stop.ask("told to end by SIGTERM") if verb == "TAG" else None
    summary = site.run()
    assert sorted(site.results(summary).values()) == [Result.LEFT, Result.LEFT, Result.PATCHED]
    assert set(site.store.writes) == {API}
    assert site.record().state is State.PATCHED


def test_told_to_stop_before_a_candidate_is_verified_it_leaves_it_for_the_next_run(site: Worksite) -> None:
    site.fixer.during = lambda _: site.stop.ask("told to end by SIGTERM")
    site.run(API)
    assert site.registry.tags.keys() == {API, WEB, JOB, f"{API}-candidate-{TODAY}"}
    assert site.record().unverified
    assert (site.record().state, site.record().approved) == (State.PENDING, None)


def test_a_run_that_ends_while_it_builds_has_started_the_slas_clock(site: Worksite) -> None:
    site.fixer.during = lambda _: site.stop.ask("told to end by SIGTERM")
    site.run(API)
    record = site.record()
    assert (record.state, record.first_vulnerable, record.approved) == (State.PENDING, NOW, None)
    assert record.message.startswith(f"patched as 1.4-candidate-{TODAY}, to be verified")
    site.stop, site.fixer.during = Stop(), lambda _: None
    site.pass_time(hours=1)
    assert site.run_one(API).result is Result.PATCHED
    assert site.record().first_vulnerable == NOW


def test_a_clean_image_in_which_something_is_found_is_not_admitted_while_it_is_built(site: Worksite) -> None:
    site.run(JOB)
    assert verdict(JOB, site.store.load()).reason == "Approved"
    site.update_database(libssl3=(3, Severity.CRITICAL))
    site.fixer.during = lambda _: site.stop.ask("told to end by SIGTERM")
    assert site.results(site.run(JOB)) == {JOB: Result.LEFT}
    assert verdict(JOB, site.store.load()).reason == "WithinSla"


def test_a_patched_approval_stays_in_force_while_a_newer_one_is_built(site: Worksite) -> None:
    site.run(API)
    approved = site.record().approved
    site.update_database(libssl3=(3, Severity.CRITICAL))
    site.fixer.during = lambda _: site.stop.ask("told to end by SIGTERM")
    assert site.results(site.run(API)) == {API: Result.LEFT}
    assert site.record().approved == approved
    assert verdict(PATCHED, site.store.load()).reason == "Approved"


def test_told_to_stop_while_the_database_is_updated_it_leaves_everything(site: Worksite) -> None:
    def end() -> None:
        site.stop.ask("told to end by SIGTERM")
        raise SetupError("stopped before Trivy was done")

    site.scanner.updating = end
    summary = site.run()
    assert site.results(summary) == {API: Result.LEFT, WEB: Result.LEFT, JOB: Result.LEFT}
    assert (summary.exit_code, site.store.last_run, site.registry.requests) == (1, None, [])


def test_without_a_scanner_it_cannot_start(site: Worksite) -> None:
    def fail() -> None:
        raise SetupError("cannot start trivy")

    site.scanner.updating = fail
    with pytest.raises(SetupError, match="cannot start trivy"):
        site.run()


def test_a_run_whose_time_is_over_leaves_the_rest(site: Worksite) -> None:
    def work_on(_: str) -> None:
        assert site.stop.wait(WAIT_SECONDS)

    site.scanner.during = work_on
    summary = site.run(run_seconds=0.01)
    assert set(site.results(summary).values()) == {Result.LEFT}
    assert "--run-limit-seconds" in summary.outcomes[0].message


def test_two_runs_at_once_give_one_image_two_tags_and_lose_no_approval(site: Worksite, tmp_path: Path) -> None:
    other = Worksite(tmp_path, API, WEB, JOB)
    other.registry, other.store = site.registry, site.store
    other.scanner.registry = other.fixer.registry = site.registry
    other.fixer.builds = site.fixer.builds
    runs = [threading.Thread(target=each.run, kwargs={"jobs": 3}) for each in (site, other)]
    for run in runs:
        run.start()
    for run in runs:
        run.join(WAIT_SECONDS)
    world = site.store.load()
    for tag in [name for name in site.registry.tags if "-patched-" in name]:
        assert verdict(tag, world).reason == "Approved", tag
        repository = tag.rpartition(":")[0]
        assert site.registry.read(repository, site.registry.tags[tag])["packages"]["libssl3"] == 2
    assert not [name for name in site.registry.tags if "-candidate-" in name]


def test_two_sources_that_are_pushed_to_one_place_never_share_a_tag(tmp_path: Path) -> None:
    one, two = f"{HOST}/one/nginx:1", f"{HOST}/two/nginx:1"
    site = Worksite(tmp_path, one, two, push_to=f"{HOST}/one = {HOST}/to\n{HOST}/two = {HOST}/to")
    site.registry.push(one, {"libssl3": 1, "one": 1})
    site.registry.push(two, {"libssl3": 1, "two": 1})
    meeting = threading.Barrier(2)
    site.registry.before = lambda verb, *_: (meeting.wait(WAIT_SECONDS), None)[1] if verb == "CHECK" else None
    site.run(jobs=2)
    approved = {key: site.record(key).approved for key in (one, two)}
    for key, approval in approved.items():
        assert approval
        assert key.split("/")[1] in site.registry.read(f"{HOST}/to/nginx", approval.digest)["packages"]
        assert site.registry.tags[approval.tagged] == approval.digest
    assert {approval.tag for approval in approved.values() if approval} == {
        f"1-patched-{TODAY}",
        f"1-patched-{TODAY}.02",
    }


def test_a_run_whose_end_cannot_be_noted_says_so_and_exits_1(site: Worksite) -> None:
    site.store.failures[""] = "the directory is read-only"
    summary = site.run()
    assert summary.exit_code == 1
    assert str(summary.problems[-1]) == "the end of the run: the directory is read-only"


def test_an_empty_list_is_a_run_of_nothing(tmp_path: Path) -> None:
    summary = Worksite(tmp_path).run()
    assert (str(summary), summary.exit_code) == ("0 images, in 0 s", 0)


def test_a_preview_says_what_a_run_would_do_and_does_none_of_it(site: Worksite) -> None:
    site.run()
    site.pass_time(hours=1)
    site.registry.push(WEB, {"libssl3": 1, "new": 1})
    del site.registry.tags[JOB]
    site.registry.requests.clear()
    site.scanner.scans.clear()
    writes = list(site.store.writes)
    previews = {preview.key: preview.action for preview in preview_run(site.tools, [])}
    assert previews == {API: Action.REFRESH, WEB: Action.SCAN, JOB: Action.FAIL}
    site.update_database(curl=(2, Severity.HIGH))
    (preview,) = preview_run(site.tools, [API])
    assert preview.action is Action.RESCAN
    site.pass_time(hours=25)
    assert "vulnerability database" in preview_run(site.tools, [API])[0].message
    assert {verb for verb, _, _ in site.registry.requests} == {"HEAD"}
    assert (site.scanner.scans, site.store.writes) == ([], writes)


def test_a_preview_says_what_fails(site: Worksite) -> None:
    site.registry.failures["HEAD", API_REPOSITORY] = "503 from registry.example.com"
    (preview,) = preview_run(site.tools, [API])
    assert (preview.action, preview.message) == (Action.FAIL, "503 from registry.example.com")


def test_the_time_that_an_image_took_is_told(site: Worksite) -> None:
    assert all(outcome.seconds >= 0 for outcome in site.run().outcomes)
    assert timedelta(seconds=site.run().seconds) == timedelta(0), "the clock of the test stands still"


def test_whoever_listed_an_image_that_failed_is_told_of_it(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, f"{HOST}/shop/*:1")
    site.lists = (image_list(API), team_list(WEB, f"{HOST}/shop/none:*"))
    site.store.configmaps = site.lists
    site.registry.push(API, {"libssl3": 2})
    site.registry.failures["LIST", f"{HOST}/shop/none"] = "401"
    site.run()
    assert [(problem.configmap, problem.place) for problem in site.told] == [
        ("team-images", WEB),
        ("team-images", "line 2"),
    ]


def test_where_nobody_can_be_told_the_run_says_so_and_is_as_good(site: Worksite) -> None:
    def refuse(_: Sequence[Problem]) -> None:
        raise SourceError("may not create events")

    tools = replace(site.tools, tell=refuse)
    summary = run_patcher(tools, Pace(1, 60, 60), ())
    assert summary.exit_code == 0
    assert Problem("Events", "", "may not create events") in summary.problems
