"""S12: whatever a registry or a scanner says, what is written of it can be read: by the patcher and by the gate.

Its property over the whole patcher is `tests/patcher/test_hostile_answers.py`.
"""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from patchgate.patcher.image import Manifest
from patchgate.patcher.oci.manifest import read_manifest
from patchgate.policy.record import Scanner
from patchgate.policy.verdict import Reason
from tests.patcher.registry_simulator import RegistrySimulator
from tests.patcher.worksite import API, Worksite
from tests.world import NOW, digest, verdict

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


class IndexedRegistry(RegistrySimulator):
    """A registry whose image is the index that a test gives, as JSON."""

    index: bytes = b""

    def describe(self, repository: str, digest: str) -> Manifest:
        return Manifest(digest, is_index=True, platforms=read_manifest(self.index, repository).list_platforms())


def make_site(directory: Path, children: dict[str, str]) -> Worksite:
    site = Worksite(directory, API)
    site.registry = IndexedRegistry()
    site.scanner.registry = site.fixer.registry = site.registry
    site.registry.push(API, {"libssl3": 1})
    entries = [
        {"digest": each, "platform": dict(zip(("os", "architecture"), name.split("/"), strict=True))}
        for name, each in children.items()
    ]
    site.registry.index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    return site


@pytest.mark.parametrize("bad", ["sha256:zz", "", "sha256:" + "A" * 64, "md5:" + "0" * 32, "x" * 5000, "\u202e\x00"])
def test_an_index_with_what_is_no_digest_fails_with_a_clear_reason_and_its_sla_runs(tmp_path: Path, bad: str) -> None:
    site = make_site(tmp_path, {"linux/amd64": digest("good"), "linux/s390x": bad})
    outcome = site.run_one()
    assert outcome.result == "failed"
    assert "its index names 'linux/s390x' by " in outcome.message
    assert "which is no digest: push it again" in outcome.message
    assert verdict(API, site.store.load()).reason is Reason.WITHIN_SLA
    assert verdict(API, site.store.load(), now=NOW + timedelta(hours=24)).reason is Reason.SLA_BREACHED


def test_a_tag_that_the_registry_resolves_to_no_digest_fails(tmp_path: Path) -> None:
    site = make_site(tmp_path, {})
    site.registry.tags[API] = "latest"
    outcome = site.run_one()
    assert (outcome.result, outcome.message) == ("failed", "its registry names it by 'latest', which is no digest")


@pytest.mark.parametrize("name", ["linux/\U0001f4a3", "LINUX/" + "x" * 3000, "linux/\ud800"])
def test_a_platform_of_an_odd_name_is_not_recorded(tmp_path: Path, name: str) -> None:
    site = Worksite(tmp_path, API)
    digests = {"linux/amd64": site.registry.put_child(API.rpartition(":")[0], b'{"platform": "linux/amd64"}')}
    odd = {**digests, name: digest("odd")}
    site.registry.push(API, {"libssl3": 1})
    described = partial(Manifest, is_index=True, platforms=odd)
    site.registry.describe = lambda _, named: described(named)  # type: ignore[assignment, method-assign]
    site.scanner.failures["linux/amd64"] = "time-out"
    site.run()
    assert (site.record().source_platforms, site.record().platforms_left_out) == (digests, 1)


@pytest.mark.parametrize("year", [1, 999])
def test_a_database_of_another_age_is_said_to_be_old(tmp_path: Path, year: int) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 2})
    site.scanner.database = NOW.replace(year=year)
    assert site.run_one().result == "failed"
    assert verdict(API, site.store.load()).reason is Reason.WITHIN_SLA


def test_what_a_scanner_calls_itself_is_cut_and_made_fit_to_show(tmp_path: Path) -> None:
    site = Worksite(tmp_path, API)
    site.registry.push(API, {"libssl3": 2})
    made = NOW - timedelta(hours=1)
    site.scanner.probe = lambda: Scanner("tri\x00vy", "v" * 10_000, made)  # type: ignore[method-assign]
    assert site.run_one().result == "clean"
    scanner = site.record().scanner
    assert scanner is not None
    assert (scanner.name, len(scanner.version)) == ("tri�vy", 80)
