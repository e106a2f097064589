"""S14: an index makes nothing vulnerable in which no counted finding was seen: it may hold another image's manifest."""

from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.policy.verdict import Reason
from tests.patcher.registry_simulator import AMD64, ARM64, write_image, write_index
from tests.patcher.worksite import HOST, Worksite
from tests.world import verdict

REPOSITORY = f"{HOST}/shop/api"
ONE, TWO = f"{REPOSITORY}:1.0", f"{REPOSITORY}:2.0"


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    """1.0 is clean; 2.0 is an index of something vulnerable with 1.0's manifest as a platform that nobody asks for."""
    site = Worksite(tmp_path, ONE, TWO)
    clean = site.registry.push(ONE, {"libssl3": 2})
    vulnerable = site.registry.put_child(REPOSITORY, write_image({"libssl3": 1}))
    site.registry.put(TWO, write_index({AMD64: vulnerable, ARM64: clean}))
    return site


@pytest.mark.parametrize("fails", [False, True])
def test_an_image_that_another_index_holds_as_an_unscanned_platform_is_approved(site: Worksite, *, fails: bool) -> None:
    if fails:
        site.fixer.failures[TWO] = "BuildKit is gone"
    site.run()
    world = site.store.load()
    assert verdict(ONE, world).reason is Reason.APPROVED
    assert verdict(f"{REPOSITORY}@{site.registry.tags[ONE]}", world).reason is Reason.APPROVED
    assert verdict(TWO, world).reason is (Reason.WITHIN_SLA if fails else Reason.PATCH_AVAILABLE)


def test_the_platform_with_findings_and_the_index_itself_are_vulnerable(site: Worksite) -> None:
    site.run()
    record, world = site.record(TWO), site.store.load()
    assert record.vulnerable_platforms == (AMD64,)
    for vulnerable in (record.source_digest, record.source_platforms[AMD64]):
        assert verdict(f"{REPOSITORY}@{vulnerable}", world).reason is Reason.PATCH_AVAILABLE


def test_it_stays_so_when_the_tag_moves_on(site: Worksite) -> None:
    site.run()
    vulnerable = site.record(TWO).source_platforms[AMD64]
    site.registry.push(TWO, {"libssl3": 2, "new": 1})
    site.pass_time(hours=1)
    site.run()
    world = site.store.load()
    assert verdict(ONE, world, now=site.now).reason is Reason.APPROVED
    assert not verdict(f"{REPOSITORY}@{vulnerable}", world, now=site.now).allowed


def test_the_same_manifest_found_vulnerable_as_a_scanned_platform_is_refused_under_every_name(site: Worksite) -> None:
    clean = site.registry.tags[ONE]
    site.run()
    site.registry.put(TWO, write_index({AMD64: clean}))
    site.scanner.vulnerable["libssl3"] = (3, site.scanner.vulnerable["libssl3"][1])
    site.scanner.database = site.now + timedelta(minutes=1)
    site.scanner.failures[ONE] = "time-out"
    site.fixer.failures[TWO] = "BuildKit is gone"
    site.run()
    assert verdict(ONE, site.store.load()).reason is not Reason.APPROVED
