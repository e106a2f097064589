"""What the tests of patching work on: a registry, BuildKit, Debian images that lack updates, and the facts of those."""

import itertools
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.patch.apt_updates import Apt, Upgrade
from tests.patch.buildkit import BuildKit
from tests.patch.changelog import Fact, read_facts
from tests.patch.debian_suites import Suites
from tests.patch.oci_layout import write_layout
from tests.patch.registry import Registry
from tests.patch.root_filesystem import RootFilesystem, make_root_filesystem
from tests.patch.scanner import Scanner
from tests.patch.vulnerability_database import DatabaseWriter
from tools.build import find_programs
from tools.cache import lock
from tools.modules import BUILDKIT, COPA, TRIVY, TRIVY_DATABASE

PACKAGES = {
    "tls": ("libexpat1", "libssl3"),
    "text": ("libexpat1",),
    "pictures": ("libpng16-16", "libssl3"),
}
"""Name of a root filesystem → what it has beside Debian's least."""
CLEAN = "clean"
TOOLING = "project-copacetic/copacetic/debian"  # below ghcr.io
TOOLING_TAGS = ("stable-slim", "12-slim")  # Copa takes the first from Debian 12.10 on: it compares versions as texts


@dataclass(frozen=True, slots=True)
class Programs:
    """What `make tools` builds for this. buildkit: the folder with buildkitd and buildctl."""

    trivy: Path
    copa: Path
    buildkit: Path
    trivy_database: Path


@dataclass(frozen=True, slots=True)
class Debian:
    """Root filesystems: those of PACKAGES, which lack every update, and CLEAN, which has them; and what they lack."""

    roots: dict[str, RootFilesystem]
    facts: list[Fact]


@dataclass(frozen=True)
class Bench:
    """All that runs, and what is put into it.

    Attributes:
        folder: a new one for files.
        facts: what the images lack; a database with all of them is what `scanner` has.
    """

    programs: Programs
    registry: Registry
    buildkit: BuildKit
    debian: Debian
    folder: Path
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def facts(self) -> list[Fact]:
        return self.debian.facts

    def push(
        self,
        root: str,
        repository: str,
        *tags: str,
        platforms: Iterable[str] = ("linux/amd64",),
        to: Registry | None = None,
    ) -> str:
        """Push an image of its own under each tag; gives REGISTRY/REPOSITORY:TAG of the last."""
        layout = self.make_folder() / "layout"
        labels = {"org.example.image": f"{repository}:{tags[0]}"}
        write_layout(layout, self.debian.roots[root], tuple(platforms), labels)
        return (to or self.registry).push(layout, repository, *tags)

    def write_database(self, facts: Iterable[Fact], updated: datetime | None = None) -> Path:
        """Write a database; gives the folder that Trivy takes as its cache."""
        writer = DatabaseWriter(self.programs.trivy_database)
        return writer.write(self.make_folder() / "trivy", facts, updated)

    def scan_with(self, database: Path) -> Scanner:
        return Scanner(self.programs.trivy, database)

    def make_folder(self) -> Path:
        folder = self.folder / f"{next(self.numbers)}"
        folder.mkdir()
        return folder


def find_built(cache: Path) -> Programs | None:
    """Find the programs; None where one is not built."""
    folders = [find_programs(module, cache) for module in (TRIVY, COPA, BUILDKIT, TRIVY_DATABASE)]
    built = [folder for folder in folders if folder]
    if len(built) < len(folders):
        return None
    trivy, copa, buildkit, database = built
    return Programs(trivy / "trivy", copa / "copa", buildkit, database / "trivy-database")


def make_debian(cache: Path, suites: Suites, apt: Apt) -> Debian:
    """Make the root filesystems, or find them in the cache, and read what they lack."""
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(lambda packages: make_root_filesystem(cache, suites, packages), PACKAGES.values())
        roots = dict(zip(PACKAGES, made, strict=True))
    upgrades = {name: apt.find_upgrades(root.dpkg_status) for name, root in roots.items()}
    least = min(PACKAGES, key=lambda name: len(upgrades[name]))
    roots[CLEAN] = make_root_filesystem(cache, suites, PACKAGES[least], upgrades[least])
    return Debian(
        roots, _read_all_facts(cache / "packages", apt, {each for some in upgrades.values() for each in some})
    )


def _read_all_facts(folder: Path, apt: Apt, upgrades: set[Upgrade]) -> list[Fact]:
    in_order = sorted(upgrades, key=lambda upgrade: upgrade.package)
    with lock(folder):
        packages = apt.download(in_order, folder)
    facts = {(fact.source, fact.cve): fact for found in map(read_facts, in_order, packages) for fact in found}
    assert facts, "Debian's updates mend nothing in these images today"
    return list(facts.values())
