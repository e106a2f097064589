"""S13: no record has more than 8 KiB, whatever an index or a moving tag is made of; all others have room beside it."""

import json
from pathlib import Path

from patchgate.configmaps.configmap import Names
from patchgate.patcher.directory_store import DirectoryStore
from patchgate.patcher.image import Manifest
from patchgate.patcher.record_size import RECORD_BYTES, count_bytes
from patchgate.policy.policy import Severity
from patchgate.policy.verdict import Reason
from tests.patcher.registry_simulator import AMD64, ARM64
from tests.patcher.worksite import API, API_REPOSITORY, HOST, Worksite
from tests.world import NAMES, NOW, digest, image_list, records, verdict

WEB = f"{HOST}/shop/web:2"


def push_large_index(site: Worksite, image: str, entries: int = 9300) -> dict[str, str]:
    """Push an index whose amd64 is vulnerable, among thousands of platforms."""
    index = site.registry.push_index(image, {AMD64: {"libssl3": 1}})
    (amd64,) = site.registry.read(image.rpartition(":")[0], index)["manifests"].values()
    platforms = {f"linux/odd{number}": digest(str(number)) for number in range(entries)} | {AMD64: amd64}
    known = site.registry.describe

    def describe(repository: str, named: str) -> Manifest:
        is_large = named == index and f"{repository}:" in image
        return Manifest(named, is_index=True, platforms=platforms) if is_large else known(repository, named)

    site.registry.describe = describe  # type: ignore[assignment, method-assign]
    return platforms


def test_an_index_of_9300_entries_leaves_room_for_all_others(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, WEB)
    push_large_index(site, API)
    site.registry.push(WEB, {"libssl3": 2})
    configmaps = tmp_path / "configmaps"
    configmaps.mkdir()
    for configmap in (image_list(API, WEB), records()):
        head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": configmap.name}}
        content = head | {"data": configmap.data}
        (configmaps / f"{configmap.name}.json").write_text(json.dumps(content), encoding="utf-8")
    store = DirectoryStore(configmaps, Names(), lambda: site.now)
    site.store = store  # type: ignore[assignment]
    site.fixer.failures[API] = "BuildKit is gone"
    results = site.results(site.run())
    assert (results[API], results[WEB]) == ("failed", "clean")
    world = store.load()
    record = world.repositories[API_REPOSITORY].find_record("1.4")
    assert record is not None
    assert count_bytes(record) <= RECORD_BYTES
    assert (next(iter(record.source_platforms)), record.platforms_left_out) == (AMD64, 9301 - 16)
    assert verdict(API, world).reason is Reason.WITHIN_SLA
    text = json.loads((configmaps / f"{NAMES.records}.json").read_text(encoding="utf-8"))["data"]["records.json"]
    assert len(text) < 2 * RECORD_BYTES


def test_a_platform_that_the_policy_names_later_is_looked_for_among_those_left_out(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    platforms = push_large_index(site, API)
    site.scanner.vulnerable.clear()
    site.run()
    assert site.run_one().result == "unchanged"
    scans = len(site.scanner.scans)
    site.store.configmaps = (image_list(API, platforms=f"{AMD64},linux/odd9000"),)
    site.scanner.failures["linux/odd9000"] = "time-out"
    assert site.run_one().result == "failed"
    assert site.scanner.scans[scans:] != []
    assert platforms["linux/odd9000"] in site.record().source_platforms.values()


def test_a_tag_that_moves_every_night_keeps_a_record_in_its_size(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API, platforms=f"{AMD64},{ARM64}", stale_after_hours="9999")
    for night in range(30):
        site.registry.push_index(API, {AMD64: {"libssl3": 1, str(night): 1}, ARM64: {"libssl3": 1, str(night): 1}})
        site.run()
        assert count_bytes(site.record()) <= RECORD_BYTES
        site.pass_time(days=1)
        site.update_database(libssl3=(2, Severity.CRITICAL))
    assert len(site.record().earlier) <= 8
    assert len(site.record().earlier_sources) >= 12
    last = site.record().earlier_sources[-1]
    assert verdict(f"{API_REPOSITORY}@{last}", site.store.load(), now=site.now).reason is Reason.PATCH_AVAILABLE
    assert site.record().first_seen == NOW
