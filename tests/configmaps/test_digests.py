"""The article's lines in `digests.txt`: each without a record is an approval of its own."""

from datetime import UTC, datetime

import pytest

from patchgate.configmaps.digests import read_digests, write_digests
from patchgate.policy.record import Approval, State
from tests.world import NOW, digest, image_list, patched, records, snapshot, verdict

REPOSITORY = "registry.example.com/myapp/api"
IMAGE = f"{REPOSITORY}:1.4.2"
ONE, TWO = digest("one"), digest("two")


def test_a_patched_line_approves_its_digest_and_the_tag_of_that_day() -> None:
    found, problems = read_digests("x", f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260508\n", NOW)
    approved = Approval(REPOSITORY, "1.4.2-patched-20260508", ONE, {}, datetime(2026, 5, 8, 23, 59, 59, tzinfo=UTC))
    assert found[IMAGE].approved == approved
    assert (found[IMAGE].state, found[IMAGE].source_digest) == (State.PATCHED, None)
    assert problems == []


def test_a_clean_line_approves_its_digest_and_the_tag_of_its_image() -> None:
    found, problems = read_digests("x", f"{REPOSITORY}@{ONE} # clean {IMAGE} on 20260508", NOW)
    approved = Approval(REPOSITORY, "1.4.2", ONE, {}, datetime(2026, 5, 8, 23, 59, 59, tzinfo=UTC))
    assert found[IMAGE].approved == approved
    assert (found[IMAGE].state, found[IMAGE].source_digest) == (State.CLEAN, ONE)
    assert problems == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (datetime(2026, 5, 9, 0, 0, 0, tzinfo=UTC), "Approved"),
        (datetime(2026, 5, 9, 12, 0, 0, tzinfo=UTC), "Approved"),
        (datetime(2026, 5, 9, 23, 59, 59, tzinfo=UTC), "Approved"),
        (datetime(2026, 5, 10, 23, 59, 59, tzinfo=UTC), "Approved"),
        (datetime(2026, 5, 11, 0, 0, 0, tzinfo=UTC), "Stale"),
    ],
    ids=["its day begins", "its noon", "its day ends", "a day after its end", "one second later"],
)
def test_a_line_of_today_ages_from_the_end_of_its_day_whenever_it_was_read(now: datetime, reason: str) -> None:
    # design.md, section 2: "verified at the end of that UTC day or now, whichever is earlier"; before its end, no age
    line = f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260509"
    configmaps = (image_list(IMAGE, stale_after_hours="24"), records(digests=[line], last_run="2026-05-08T06:00:00Z"))
    read_as_the_day_began = snapshot(*configmaps, now=datetime(2026, 5, 9, tzinfo=UTC))
    read_now = snapshot(*configmaps, now=now)
    for image in (f"{REPOSITORY}@{ONE}", f"{IMAGE}-patched-20260509"):
        decided = verdict(image, read_as_the_day_began, now=now)
        assert decided.reason == reason
        assert decided == verdict(image, read_now, now=now)


@pytest.mark.parametrize(
    "line",
    [
        f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260508",
        f"  {REPOSITORY}@{ONE} # patched from {IMAGE} on 20260508  \r",
        f"{REPOSITORY}@{ONE}\t#patched from   {IMAGE}   on   20260508",
    ],
)
def test_spaces_do_not_matter(line: str) -> None:
    found, problems = read_digests("x", f"\n# by the article's script\n  # and this\n{line}\n\n", NOW)
    assert list(found) == [IMAGE]
    assert problems == []


def test_names_are_normalised() -> None:
    found, _ = read_digests("x", f"nginx@{ONE} # patched from nginx:1.25 on 20260508", NOW)
    assert list(found) == ["docker.io/library/nginx:1.25"]
    assert str(found["docker.io/library/nginx:1.25"].approved) == (
        f"docker.io/library/nginx:1.25-patched-20260508@{ONE}"
    )


def test_an_image_patched_to_another_repository_is_approved_there() -> None:
    target = "registry.example.com/patched/nginx"
    found, _ = read_digests("x", f"{target}@{ONE} # patched from docker.io/library/nginx:1.25 on 20260508", NOW)
    assert [approval.repository for approval in found["docker.io/library/nginx:1.25"].approvals] == [target]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_days_the_newest_is_the_approval_and_the_others_are_earlier(order: tuple[int, int, int]) -> None:
    lines = [
        f"{REPOSITORY}@{digest(day)}  # patched from {IMAGE} on {day}" for day in ("20260506", "20260507", "20260508")
    ]
    found, _ = read_digests("x", "\n".join(lines[place] for place in order), NOW)
    assert [approval.tag for approval in found[IMAGE].approvals] == [
        "1.4.2-patched-20260508",
        "1.4.2-patched-20260507",
        "1.4.2-patched-20260506",
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"{REPOSITORY}@unknown  # patched from {IMAGE} on 20260508", "a digest is sha256: and 64 lower-case"),
        (f"{REPOSITORY}@{ONE}", "write REPO@sha256:… # patched from IMAGE on YYYYMMDD"),
        (f"{REPOSITORY}@{ONE}  # patched", "write REPO@sha256:… # patched from IMAGE on YYYYMMDD"),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 2026-05-08", "write REPO@sha256:… # patched from IMAGE"),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 202605081", "write REPO@sha256:… # patched from IMAGE"),
        (f"{IMAGE}  # patched from {IMAGE} on 20260508", "an approval is REPO@sha256:…"),
        (f"{IMAGE}@{ONE}  # patched from {IMAGE} on 20260508", "an approval is REPO@sha256:…"),
        (f"{REPOSITORY}@{ONE}  # patched from {REPOSITORY} on 20260508", f"'{REPOSITORY}' is not REPO:TAG"),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE}@{ONE} on 20260508", " is not REPO:TAG"),
        (f"{REPOSITORY}@{ONE}  # patched from A:b:c on 20260508", "'A:b:c': a repository has lower-case letters"),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260510", "20260510 is still to come"),
        (f"{REPOSITORY}@{ONE}  # clean {IMAGE} on 99991231", "99991231 is still to come"),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260230", ": day "),
        (f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 00000101", ": year "),
        ("\x00" * 5000, "delete U+0000 from it, a character that editors do not show"),
        (f"# a\u2028{REPOSITORY}@{ONE}  # clean {IMAGE} on 20260508", "delete U+2028 from it"),
        (f"{REPOSITORY}@{ONE}  # clean {IMAGE} on 20260508\u202e", "write REPO@sha256"),
    ],
)
def test_a_line_that_is_no_approval_is_reported_with_its_number_and_costs_no_other(line: str, fault: str) -> None:
    good = f"{REPOSITORY}@{TWO}  # patched from {IMAGE} on 20260507"
    found, (problem,) = read_digests("copa-patched-digests", f"{line}\n{good}\n", NOW)
    assert [approval.digest for approval in found[IMAGE].approvals] == [TWO]
    assert (problem.configmap, problem.place) == ("copa-patched-digests", "digests.txt line 1")
    assert fault in problem.reason
    assert len(problem.reason) < 250


@pytest.mark.parametrize(("minute", "is_good"), [(54, False), (55, True)])
def test_the_day_that_begins_within_five_minutes_is_not_the_future(minute: int, *, is_good: bool) -> None:
    late = datetime(2026, 5, 9, 23, minute, tzinfo=UTC)
    found, problems = read_digests("x", f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260510", late)
    assert (IMAGE in found) is is_good
    assert (not problems) is is_good


def test_a_user_of_the_article_moves_over_without_a_gap() -> None:
    line = f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260508"
    world = snapshot(image_list(IMAGE), records(digests=[line]))
    assert verdict(f"{REPOSITORY}@{ONE}", world).reason == "Approved"
    assert verdict(f"{IMAGE}-patched-20260508", world).reason == "Approved"
    assert verdict(IMAGE, world).use == f"{IMAGE}-patched-20260508@{ONE}"


def test_a_line_counts_for_nothing_once_its_image_has_a_record_in_any_configmap() -> None:
    line = f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260508"
    record_elsewhere = records({IMAGE: patched(f"{IMAGE}-patched-20260509")}, name="copa-patched-digests-1")
    world = snapshot(image_list(IMAGE), records(digests=[line]), record_elsewhere)
    assert verdict(f"{REPOSITORY}@{ONE}", world).reason == "Unlisted"
    assert verdict(f"{IMAGE}-patched-20260509", world).reason == "Approved"


def test_lines_are_written_as_they_were_read() -> None:
    text = (
        f"{REPOSITORY}@{TWO}  # patched from {IMAGE} on 20260508\n"
        f"{REPOSITORY}@{ONE}  # patched from {IMAGE} on 20260507\n"
        f"docker.io/library/nginx@{ONE}  # clean docker.io/library/nginx:1.25 on 20260507\n"
    )
    found, _ = read_digests("x", text, NOW)
    assert write_digests(found.values()) == text
