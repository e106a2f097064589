"""S10: the rollout grace belongs to the first patch of a source: no later one opens it again."""

from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.policy.policy import Severity
from patchgate.policy.verdict import Reason, Verdict
from tests.patcher.worksite import API, API_REPOSITORY, Worksite
from tests.world import verdict


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1, "zlib1g": 1})
    site.run()
    return site


def ask(site: Worksite, image: str = API, after: timedelta = timedelta()) -> Verdict:
    """The answer to a built-in controller that re-creates a Pod of the image."""
    return verdict(image, site.store.load(), is_controller=True, now=site.now + after)


def test_a_second_patch_thirty_days_later_opens_no_grace(site: Worksite) -> None:
    source = f"{API_REPOSITORY}@{site.registry.tags[API]}"
    assert [ask(site, image).allowed for image in (API, source)] == [True, True]
    site.pass_time(days=30)
    site.update_database(zlib1g=(2, Severity.CRITICAL))
    assert site.run_one().result == "patched"
    for image in (API, source):
        refused = ask(site, image)
        assert (refused.allowed, refused.reason) == (False, Reason.PATCH_AVAILABLE)


def test_the_grace_of_the_first_patch_is_as_long_as_before(site: Worksite) -> None:
    assert ask(site, after=timedelta(hours=24)).allowed
    assert not ask(site, after=timedelta(hours=24, seconds=1)).allowed


def test_a_new_source_under_the_tag_has_a_grace_of_its_own_and_the_old_one_has_not(site: Worksite) -> None:
    old = f"{API_REPOSITORY}@{site.registry.tags[API]}"
    site.pass_time(days=30)
    site.update_database()
    site.registry.push(API, {"libssl3": 1, "new": 1})
    site.run()
    assert ask(site).allowed
    assert not ask(site, old).allowed


def test_a_tag_that_moves_before_the_grace_is_over_takes_it_from_nobody(site: Worksite) -> None:
    old = f"{API_REPOSITORY}@{site.registry.tags[API]}"
    site.pass_time(hours=2)
    site.registry.push(API, {"libssl3": 1, "new": 1})
    site.run()
    assert ask(site, old).allowed
    assert not ask(site, old, timedelta(hours=22, seconds=1)).allowed


def test_a_tag_that_moves_there_and_back_brings_no_new_grace(site: Worksite) -> None:
    old = site.registry.tags[API]
    site.pass_time(days=30)
    site.update_database()
    site.registry.push(API, {"libssl3": 1, "new": 1})
    site.run()
    site.pass_time(hours=1)
    site.registry.tags[API] = old
    site.run()
    assert not ask(site).allowed
    assert not ask(site, f"{API_REPOSITORY}@{old}").allowed


def test_a_tag_that_moves_to_what_cannot_be_patched_yet_opens_no_grace(site: Worksite) -> None:
    site.pass_time(days=30)
    site.update_database(zlib1g=(2, Severity.CRITICAL))
    site.run()  # the second patch
    site.registry.push(API, {"libssl3": 1, "new": 1})
    site.fixer.failures[API] = "BuildKit is gone"
    site.run()
    assert not ask(site).allowed
