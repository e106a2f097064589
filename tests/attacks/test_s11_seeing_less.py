"""S11: an image of which a scan sees less than before is a failed scan: its SLA runs on."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.errors import ScanError
from patchgate.patcher.trivy_report import Asked, read_report
from patchgate.policy.policy import Severity
from patchgate.policy.record import State
from patchgate.policy.verdict import Reason
from tests.patcher.registry_simulator import DEBIAN
from tests.patcher.worksite import API, API_REPOSITORY, Worksite
from tests.world import NOW, digest, verdict

NOTHING = ("", "")


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    """An image that was found vulnerable, cannot be patched now, and whose SLA is over."""
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1})
    site.fixer.failures[API] = "BuildKit is gone"
    site.run()
    site.pass_time(hours=25)
    site.update_database()
    return site


def reason(site: Worksite, image: str = API) -> Reason:
    return verdict(image, site.store.load(), now=site.now).reason


@pytest.mark.parametrize("packages", [None, []])
def test_an_os_without_packages_is_a_failed_scan(packages: object) -> None:
    report = {
        "SchemaVersion": 2,
        "Metadata": {
            "OS": {"Family": "debian", "Name": "12.5"},
            "RepoDigests": [f"x@{digest('x')}"],
            "ImageConfig": {"os": "linux", "architecture": "amd64"},
        },
        "Results": [{"Class": "os-pkgs", "Packages": packages}],
    }
    with pytest.raises(ScanError, match=r"sees debian 12\.5 and none of its packages"):
        read_report(json.dumps(report).encode(), Asked(digest("x"), "linux/amd64", counts_libraries=True), Path("x"))


def test_the_slas_clock_of_an_image_whose_list_of_packages_was_deleted_runs(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {})
    site.scanner.failures[API] = "Trivy sees debian 12.5 and none of its packages"
    assert site.run_one().result == "failed"
    assert reason(site) is Reason.WITHIN_SLA
    assert verdict(API, site.store.load(), now=NOW + timedelta(hours=24)).reason is Reason.SLA_BREACHED


def test_a_rebuild_that_hides_its_os_does_not_make_a_vulnerable_image_unpatchable(site: Worksite) -> None:
    assert reason(site) is Reason.SLA_BREACHED
    old = site.registry.tags[API]
    site.registry.push(API, {"libssl3": 1}, os=NOTHING)
    outcome = site.run_one()
    assert (outcome.result, site.record().state) == ("failed", State.FAILED)
    assert "has no OS packages (linux/amd64); findings counted in it before, so that its SLA runs on" in outcome.message
    for image in (API, f"{API_REPOSITORY}@{old}", f"{API_REPOSITORY}@{site.registry.tags[API]}"):
        assert reason(site, image) is Reason.SLA_BREACHED


@pytest.mark.parametrize("os", [("photon", "5"), DEBIAN])
def test_an_os_that_nobody_patches_or_supports_does_not_either(site: Worksite, os: tuple[str, str]) -> None:
    site.registry.push(API, {"libssl3": 1, "new": 1}, os=os)
    site.scanner.ended = {"debian"}
    assert site.run_one().result == "failed"
    assert reason(site) is Reason.SLA_BREACHED


def test_what_nobody_could_patch_from_the_start_is_unpatchable_and_stays_so_through_failures(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1}, os=("photon", "5"))
    assert site.run_one().result == "unpatchable"
    site.pass_time(days=3)
    site.update_database()
    site.scanner.failures[API] = "time-out"
    assert site.run_one().result == "failed"
    assert reason(site) is Reason.UNPATCHABLE
    site.scanner.failures.clear()
    assert site.run_one().result == "unpatchable"
    assert reason(site) is Reason.UNPATCHABLE


def test_a_vulnerable_source_stays_refused_when_its_tag_moves_on_to_what_is_unpatchable(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    old = site.registry.push(API, {"libssl3": 1})
    site.fixer.failures[API] = "BuildKit is gone"
    site.run()
    site.registry.push(API, {"libssl3": 2})
    site.pass_time(hours=1)
    assert site.run_one().result == "clean"
    site.pass_time(hours=25)
    site.update_database()
    site.registry.push(API, {"tool": 1}, os=NOTHING)
    assert site.run_one().result == "unpatchable"
    refused = verdict(f"{API_REPOSITORY}@{old}", site.store.load(), now=site.now)
    assert not refused.allowed
    assert not verdict(API, site.store.load(), now=site.now).allowed, "a node may hold the old copy"


def test_findings_in_an_image_that_could_never_be_looked_at_give_it_no_new_time(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 1})
    site.scanner.failures[API] = "time-out"
    site.run()
    site.pass_time(hours=25)
    site.update_database(libssl3=(2, Severity.CRITICAL))
    assert reason(site) is Reason.SLA_BREACHED
    site.scanner.failures.clear()
    site.fixer.failures[API] = "BuildKit is gone"
    site.run()
    assert reason(site) is Reason.SLA_BREACHED
