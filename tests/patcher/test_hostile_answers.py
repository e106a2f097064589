"""Whatever a registry or a scanner says, what is written can be read back, by the gate too, and has at most 8 KiB."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.edit_book import write_book
from patchgate.configmaps.record_book import read_book
from patchgate.configmaps.records import KEY, read_records
from patchgate.errors import ScanError
from patchgate.patcher.finding import Finding, Report
from patchgate.patcher.image import Manifest
from patchgate.patcher.oci.manifest import read_manifest
from patchgate.patcher.record_books import Books, change_record
from patchgate.patcher.record_size import RECORD_BYTES
from patchgate.policy.policy import Naming, Severity
from patchgate.policy.record import Record, Scanner
from tests.patcher.registry_simulator import RegistrySimulator
from tests.patcher.scanner_simulator import ScannerSimulator
from tests.patcher.store_simulator import ReadingStore
from tests.patcher.worksite import HOST, Worksite
from tests.world import NAMES, NOW, digest, image_list

LONG = f"{HOST}/{'long-path/' * 24}x:{'v' * 100}"
IMAGES = [f"{HOST}/shop/api:1", LONG]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(), max_size=10).map(lambda text: text * 200),
    st.sampled_from(["\ud800", "\U0001f4a3" * 600, "\u202e", "\x00", "</script>", "a\nb", "sha256:zz", ""]),
)
DIGESTS = st.one_of(
    st.integers(0, 9).map(lambda number: digest(str(number))),
    st.integers(0, 9).map(lambda number: f"sha512:{digest(str(number)).removeprefix('sha256:') * 2}"),
    TEXTS,
)
PLATFORMS = st.one_of(
    st.sampled_from(
        [{"os": "linux", "architecture": "amd64"}, {"os": "linux", "architecture": "arm64", "variant": "v8"}]
    ),
    st.fixed_dictionaries({"os": TEXTS, "architecture": TEXTS}),
    st.none(),
)
CHILDREN = st.lists(st.fixed_dictionaries({"digest": DIGESTS, "platform": PLATFORMS}), max_size=6)
GOOD_CHILDREN = st.integers(0, 60).map(
    lambda count: [
        {"digest": digest(f"child {number}"), "platform": {"os": "linux", "architecture": name}}
        for number, name in enumerate(["amd64", "arm64", *(f"odd{number}" for number in range(count))])
    ]
)
TIMES = st.one_of(
    st.integers(-3600, 400).map(lambda seconds: NOW + timedelta(seconds=seconds)),
    st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])),
    st.none(),
)
FINDINGS = st.lists(st.builds(Finding, TEXTS, TEXTS, TEXTS, TEXTS, st.sampled_from(Severity)), max_size=4)


@dataclass
class HostileRegistry(RegistrySimulator):
    """A registry that answers with what it is given, in turn."""

    heads: Iterator[str | None] = field(default_factory=lambda: iter(()))
    indexes: Iterator[list[dict[str, Any]]] = field(default_factory=lambda: iter(()))

    def find_digest(self, repository: str, reference: str) -> str | None:
        if "candidate" in reference or "patched" in reference:
            return super().find_digest(repository, reference)
        return next(self.heads, digest("source"))

    def describe(self, repository: str, digest: str) -> Manifest:
        if (repository, digest) in self.manifests:
            return super().describe(repository, digest)
        body = json.dumps({"manifests": next(self.indexes, [])}).encode("utf-8", errors="surrogatepass")
        return Manifest(digest, is_index=True, platforms=read_manifest(body, repository).list_platforms())


@dataclass
class HostileScanner(ScannerSimulator):
    """A scanner that says what it is given, in turn."""

    who: Scanner = field(default_factory=lambda: Scanner("trivy", "1", NOW))
    families: Iterator[str] = field(default_factory=lambda: iter(()))
    found: Iterator[list[Finding]] = field(default_factory=lambda: iter(()))

    def probe(self) -> Scanner:
        return self.who

    def scan(self, image: str, platform: str, file: Path, limit_seconds: float) -> Report:
        assert limit_seconds > 0
        self.scans.append((image, platform))
        family = next(self.families, "debian")
        if family == "fails":
            raise ScanError(f"Trivy failed: {family}")
        file.write_text("[]", encoding="utf-8")
        findings = tuple(next(self.found, []))
        return Report(
            platform, family, family, is_end_of_life=False, findings=findings, library_findings=None, file=file
        )


@dataclass
class Said:
    """What registries and scanners say in two runs."""

    heads: list[str | None]
    indexes: list[list[dict[str, Any]]]
    families: list[str]
    found: list[list[Finding]]
    database: datetime | None
    version: str


SAID = st.builds(
    Said,
    st.lists(st.one_of(DIGESTS, st.none(), st.just(digest("source"))), max_size=6),
    st.lists(st.one_of(CHILDREN, GOOD_CHILDREN), max_size=4),
    st.lists(st.one_of(st.sampled_from(["debian", "", "fails", "photon"]), TEXTS), max_size=6),
    st.lists(FINDINGS, max_size=6),
    TIMES,
    TEXTS,
)


def read_back(site: Worksite, now: datetime) -> Mapping[str, int]:
    """Write the records as the stores do and read them as the gate does; give the bytes of each as it stands there."""
    books: Books = (read_book(ConfigMap(NAMES.records, {}, {}), Naming(), now),)
    for key, record in site.store.records.items():
        books, _ = change_record(books, key, partial(_give, record))
    data = write_book(books[0], ())
    part = read_records(ConfigMap(NAMES.records, {}, data), None, now)
    assert part.problems == ()
    assert part.records == site.store.records
    again = read_book(ConfigMap(NAMES.records, {}, data), Naming(), now)
    assert (again.fault, again.bad_records, again.part.records) == ("", {}, site.store.records)
    entries = json.loads(data[KEY])["records"]
    return {key: len(json.dumps({key: value}, indent=2)) for key, value in entries.items()}


def _give(record: Record, _: Record | None) -> Record:
    return record


@settings(max_examples=100, deadline=None)
@given(SAID, st.sampled_from(["linux/amd64", "linux/amd64,linux/arm64"]), st.integers(-48, 48))
def test_what_is_written_can_be_read_and_is_small(said: Said, platforms: str, hours: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        site = Worksite(Path(folder), *IMAGES, platforms=platforms)
        site.store = ReadingStore((image_list(*IMAGES, platforms=platforms),), clock=lambda: site.now)
        registry = HostileRegistry(heads=iter(said.heads), indexes=iter(said.indexes))
        scanner = HostileScanner(registry, families=iter(said.families), found=iter(said.found))
        scanner.who = Scanner("trivy", said.version, said.database)
        site.registry = site.fixer.registry = registry
        site.scanner = scanner
        for _ in range(2):
            summary = site.run()
            for outcome in summary.outcomes:
                event(outcome.result)
            assert len(site.store.records) == len(IMAGES), "each was recorded, and none is as if nobody had looked"
            sizes = read_back(site, site.now)
            assert max(sizes.values()) <= RECORD_BYTES
            site.pass_time(hours=hours)
