"""P3: an image whose scan takes the whole patcher along goes last, so that all others are verified in every run."""

from datetime import timedelta
from pathlib import Path

import pytest

from patchgate.patcher.attempt import Attempt
from patchgate.patcher.image import Target
from patchgate.patcher.transition import record_attempt
from patchgate.policy.policy import Policy
from patchgate.policy.record import Record
from patchgate.policy.verdict import Reason
from tests.patcher.worksite import HOST, Worksite
from tests.world import NOW, verdict

KILLER = f"{HOST}/a/killer:1"
OTHERS = [f"{HOST}/shop/image{number:02d}:1" for number in range(13)]


class Killed(BaseException):
    """The kernel kills the container."""


@pytest.fixture
def site(tmp_path: Path) -> Worksite:
    """Thirteen clean images, and one whose scan ends the patcher."""
    site = Worksite(tmp_path, KILLER, *OTHERS)
    for image in (KILLER, *OTHERS):
        site.registry.push(image, {"libssl3": 2, image: 1})
    return site


def kill(image: str) -> None:
    if image.startswith(KILLER):
        raise Killed


def die(site: Worksite, jobs: int = 1) -> None:
    site.scanner.during = kill
    with pytest.raises(Killed):
        site.run(jobs=jobs)


def list_verified(site: Worksite) -> list[str]:
    return [key for key in OTHERS if (record := site.store.records.get(key)) and record.verified == site.now]


def test_what_killed_a_run_goes_last_in_all_that_follow(site: Worksite) -> None:
    die(site)
    for attempts in (2, 3):
        site.pass_time(hours=1)
        site.update_database()
        die(site)
        assert list_verified(site) == OTHERS
        assert site.record(KILLER).unended == attempts
    site.scanner.during = lambda _: None
    site.pass_time(hours=1)
    site.update_database()
    assert site.run().exit_code == 0
    assert site.record(KILLER).unended == 0


def test_the_report_says_so_and_its_sla_runs(site: Worksite) -> None:
    die(site)
    world = site.store.load()
    assert verdict(KILLER, world).reason is Reason.WITHIN_SLA
    refused = verdict(KILLER, world, now=NOW + timedelta(hours=24))
    assert refused.reason is Reason.SLA_BREACHED
    assert "the last attempt at it was cut short unless one goes on now: it goes last, give the patcher" in refused.text


def test_images_that_it_took_along_are_tried_one_by_one_before_it(site: Worksite) -> None:
    for image in (KILLER, *OTHERS[:3]):
        site.store.records[image] = begin(site, image)
    site.pass_time(hours=1)
    site.update_database()
    order: list[str] = []
    site.scanner.during = lambda image: order.append(image.partition("@")[0])
    site.run(jobs=4)
    assert sorted(order[:-4]) == OTHERS[3:]
    assert order[-4:] == [KILLER, *OTHERS[:3]], "each of them alone"


def begin(site: Worksite, image: str) -> Record:
    repository, _, tag = image.rpartition(":")
    target = Target(repository, tag, None, repository, None)
    return record_attempt(None, Attempt(target, Policy(), site.scanner.probe(), site.now), site.now)
