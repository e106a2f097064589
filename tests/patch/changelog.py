"""Which vulnerabilities an update of Debian's mends, read from the changelog inside its package: true facts."""

import gzip
import io
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.patch.apt_updates import Upgrade

ENTRY = re.compile(r"^\S+ \((\S+)\) [^;\n]+; urgency=(\w+)[^\n]*\n(.*?)^ -- ", re.MULTILINE | re.DOTALL)
CVE = re.compile(r"CVE-\d{4}-\d{4,}")
FILE = re.compile(r"\./usr/share/doc/[^/]+/changelog\.Debian\.gz")
SEVERITIES = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH", "emergency": "CRITICAL", "critical": "CRITICAL"}
"""A changelog's urgency, which is all that Debian says there → how Trivy calls it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A vulnerability of a source package, and the version that mended it."""

    source: str
    cve: str
    fixed: str
    severity: str
    title: str


def read_facts(upgrade: Upgrade, package: Path) -> list[Fact]:
    """Read what the package's changelog says of the versions after the installed one."""
    facts: dict[str, Fact] = {}
    for version, urgency, body in ENTRY.findall(_read_changelog(package)):
        if not _is_newer(version, upgrade.installed) or _is_newer(version, upgrade.candidate):
            continue
        for cve in CVE.findall(body):
            line = next(line.strip(" *-") for line in body.splitlines() if cve in line)
            severity = SEVERITIES.get(urgency.lower(), "UNKNOWN")
            facts.setdefault(cve, Fact(upgrade.source, cve, version, severity, f"{upgrade.source}: {line}"))
    return list(facts.values())


def _read_changelog(package: Path) -> str:
    command = ["/usr/bin/dpkg-deb", "--fsys-tarfile", str(package)]
    tar = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            if FILE.fullmatch(member.name) and member.isfile() and (content := archive.extractfile(member)):
                return gzip.decompress(content.read()).decode(errors="replace")
    return ""  # a link to another package's


def _is_newer(version: str, than: str) -> bool:
    command = ["/usr/bin/dpkg", "--compare-versions", version, "gt", than]
    return subprocess.run(command, check=False).returncode == 0
