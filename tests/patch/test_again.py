"""A run after the first: what has not changed costs two HEADs, and a new database costs a scan before a build."""

from datetime import UTC, datetime, timedelta

from tests.patch.bench import CLEAN, PACKAGES, Bench
from tests.patch.changelog import Fact
from tests.patch.scanner import Scanner
from tests.patch.site import Site, approved
from tests.patch.vulnerability_database import date_database


def list_ten(site: Site, name: str) -> list[str]:
    """Push and list ten images from all package sets."""
    roots = [*PACKAGES, CLEAN]
    images = [site.bench.push(roots[number % 4], f"{name}/app-{number}", "1.0") for number in range(10)]
    site.list_images(*images)
    return images


def without(facts: list[Fact], source: str) -> list[Fact]:
    left = [fact for fact in facts if fact.source != source]
    assert len(left) < len(facts)
    return left


def test_ten_unchanged_images_cost_two_heads_each_and_a_new_database_no_build(site: Site, bench: Bench) -> None:
    images = list_ten(site, "ten")
    first = site.patch()
    assert first.exit_code == 0, first.text
    assert sorted(first.results.values()) == ["clean"] * 2 + ["patched"] * 8
    assert first.builds

    second = site.patch()
    assert second.exit_code == 0, second.text
    assert second.results == dict.fromkeys(images, "unchanged")
    assert not second.builds
    assert [(request.method, request.kind, request.status) for request in second.requests] == [
        ("HEAD", "manifests", 200)
    ] * (2 * len(images))

    before = {image: site.read_record(image) for image in images}
    scanner = bench.scan_with(site.database)
    assert not any(scanner.find(approved(record), bench.make_folder()) for record in before.values())
    site.database = bench.write_database(bench.facts, datetime.now(UTC) + timedelta(seconds=1))
    third = site.patch()
    assert third.exit_code == 0, third.text
    assert third.results == dict.fromkeys(images, "unchanged")
    assert not third.builds
    assert third.count("PUT", "manifests") == third.count("POST", "blobs/uploads") == 0
    for image in images:
        after = site.read_record(image)
        assert approved(after) == approved(before[image])
        assert after["verified"] > before[image]["verified"]
        assert after["scanner"]["database"] > before[image]["scanner"]["database"]


def name_next(first: str) -> set[str]:
    """Name the tag of a second patch: another one of the day, or the first of the next one, if it was midnight."""
    before, _, day = first.rpartition("-")
    next_day = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) + timedelta(days=1)
    return {f"{first}.02", f"{before}-{next_day:%Y%m%d}"}


def test_a_new_finding_makes_one_new_patch_and_keeps_the_earlier_approval(site: Site, bench: Bench) -> None:
    found, other = bench.push("tls", "finding/tls", "1.0"), bench.push("pictures", "finding/pictures", "1.0")
    site.list_images(found, other)
    site.database = bench.write_database(without(bench.facts, "expat"), datetime.now(UTC) - timedelta(hours=1))
    assert site.patch().results == {found: "patched", other: "patched"}
    first, kept = site.read_record(found), site.read_record(other)

    site.database = bench.write_database(bench.facts)
    second = site.patch()
    assert second.exit_code == 0, second.text
    assert second.results == {found: "patched", other: "unchanged"}
    assert second.count("PUT", "manifests", "-patched-") == 1
    record = site.read_record(found)
    assert record["approved_reference"] in name_next(first["approved_reference"])
    assert approved(site.read_record(other)) == approved(kept)
    assert site.check(approved(first), approved(record), first["approved_reference"], found) == {
        approved(first): "Approved",
        approved(record): "Approved",
        first["approved_reference"]: "Approved",
        found: "PatchAvailable",
    }
    assert bench.scan_with(site.database).find(approved(record), bench.make_folder()) == set()
    assert (
        bench.registry.read_digest("finding/tls", first["approved_reference"].rpartition(":")[2])
        == (first["approved_digest"])
    )


def test_a_stale_database_refreshes_nothing_and_says_so(site: Site, bench: Bench, scanner: Scanner) -> None:
    image = bench.push("tls", "stale/tls", "1.0")
    site.list_images(image)
    assert site.patch().results == {image: "patched"}
    before = site.read_record(image)
    date_database(scanner.database, datetime.now(UTC) - timedelta(hours=25))
    again = site.patch()
    assert (again.exit_code, again.results, again.builds) == (1, {image: "failed"}, set())
    assert "the vulnerability database is 25 h old, at most 24 h counts: update it" in again.messages[image]
    after = site.read_record(image)
    assert (after["verified"], approved(after)) == (before["verified"], approved(before))
    assert site.check(approved(after)) == {approved(after): "Approved"}


def test_an_approved_image_that_is_gone_is_made_again(site: Site, bench: Bench) -> None:
    image = bench.push("tls", "gone/tls", "1.0")
    site.list_images(image)
    assert site.patch().results == {image: "patched"}
    lost = site.read_record(image)
    bench.registry.delete("gone/tls", lost["approved_digest"])
    again = site.patch()
    assert again.results == {image: "patched"}, again.text
    made = site.read_record(image)
    assert bench.registry.read_digest("gone/tls", made["approved_digest"]) == made["approved_digest"]
    assert site.check(image) == {image: "PatchAvailable"}


def test_a_moved_tag_is_patched_anew_and_what_it_was_before_is_refused(site: Site, bench: Bench) -> None:
    image = bench.push("tls", "moved/app", "1.0")
    site.list_images(image)
    assert site.patch().results == {image: "patched"}
    old = bench.registry.read_digest("moved/app", "1.0")
    before = site.read_record(image)
    bench.push("pictures", "moved/app", "1.0")
    again = site.patch()
    assert again.results == {image: "patched"}, again.text
    record = site.read_record(image)
    assert record["earlier_sources"] == [old]
    assert record["source_digest"] == bench.registry.read_digest("moved/app", "1.0")
    assert approved(record) != approved(before)
    pinned = f"{bench.registry.address}/moved/app@{old}"
    assert site.check(pinned) == {pinned: "PatchAvailable"}
