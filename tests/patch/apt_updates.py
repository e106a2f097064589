"""What Debian's updates would do to a root filesystem: asked from apt, with lists and a status of its own."""

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.patch.debian_suites import Suites, run

INSTALL = re.compile(r"^Inst (\S+) \[(\S+)\] \((\S+) ", re.MULTILINE)
STANZA = re.compile(r"^(Package|Source): (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A package that the updates would replace. source: the source package's name, which findings are known by."""

    package: str
    source: str
    installed: str
    candidate: str


@dataclass(frozen=True)
class Apt:
    """An apt that knows the suites and nothing of this machine's packages."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, suites: Suites) -> "Apt":
        """Make one in an empty folder, with today's lists."""
        for name in ("lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "sources.list").write_text(suites.sources_list, encoding="utf-8")
        (folder / "status").touch()
        (folder / "apt.conf").write_text(
            f'Dir::State::status "{folder}/status";\n'
            f'Dir::State::lists "{folder}/lists";\n'
            f'Dir::Cache "{folder}/cache";\n'
            f'Dir::Etc::sourcelist "{folder}/sources.list";\n'
            'Dir::Etc::sourceparts "-";\n'
            'Acquire::Languages "none";\n'
            'APT::Sandbox::User "root";\n',  # its own user may not read a folder of ours
            encoding="utf-8",
        )
        apt = cls(folder)
        run("apt-get", "-q", "update", environment=apt._environment)
        return apt

    def find_upgrades(self, dpkg_status: Path) -> list[Upgrade]:
        """Find what a whole upgrade would replace in the root filesystem with this status."""
        shutil.copyfile(dpkg_status, self.folder / "status")
        sources = _read_sources(dpkg_status.read_text(encoding="utf-8"))
        said = run("apt-get", "--simulate", "dist-upgrade", environment=self._environment)
        return [Upgrade(package, sources[package], old, new) for package, old, new in INSTALL.findall(said)]

    def download(self, upgrades: Sequence[Upgrade], folder: Path) -> list[Path]:
        """Download the packages, unless they are in the folder; gives their files in the same order."""
        lacking = [upgrade for upgrade in upgrades if not _find_file(upgrade, folder)]
        names = [f"{upgrade.package}={upgrade.candidate}" for upgrade in lacking]
        if names:
            run("apt-get", "-q", "download", *names, environment=self._environment, folder=folder)
        return [next(iter(_find_file(upgrade, folder))) for upgrade in upgrades]

    @cached_property
    def _environment(self) -> dict[str, str]:
        return os.environ | {"APT_CONFIG": str(self.folder / "apt.conf"), "LC_ALL": "C"}


def _read_sources(status: str) -> dict[str, str]:
    stanzas = [dict(STANZA.findall(text)) for text in status.split("\n\n")]
    return {stanza["Package"]: stanza.get("Source") or stanza["Package"] for stanza in stanzas if stanza}


def _find_file(upgrade: Upgrade, folder: Path) -> list[Path]:
    return list(folder.glob(f"{upgrade.package}_{upgrade.candidate.replace(':', '%3a')}_*.deb"))
