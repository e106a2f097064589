"""A scanner that works: finds what its database says is vulnerable in what the registry simulator holds."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from patchgate.errors import ScanError
from patchgate.patcher.finding import Finding, Report
from patchgate.policy.policy import Severity
from patchgate.policy.record import Scanner
from tests.patcher.registry_simulator import RegistrySimulator
from tests.world import NOW


@dataclass
class ScannerSimulator:
    """Scans what the registry holds.

    Attributes:
        registry: where images come from.
        vulnerable: package → (first version without the vulnerability, severity).
        database: when the database was made.
        ended: OS families that are at their end of life.
        scans: what was scanned: image, platform.
        failures: platform or `REPO:TAG` → why its scan fails.
        updating: called while it is probed.
        during: called while a scan goes on, with the image.
    """

    registry: RegistrySimulator
    vulnerable: dict[str, tuple[int, Severity]] = field(default_factory=dict)
    database: datetime | None = NOW - timedelta(hours=1)
    ended: set[str] = field(default_factory=set)
    scans: list[tuple[str, str]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    updating: Callable[[], None] = lambda: None
    during: Callable[[str], None] = lambda _: None

    def probe(self) -> Scanner:
        self.updating()
        return Scanner("trivy", "0.69.3", self.database)

    def scan(self, image: str, platform: str, file: Path, limit_seconds: float) -> Report:
        assert limit_seconds > 0
        self.during(image)
        self.scans.append((image, platform))
        name, _, digest = image.partition("@")
        repository, _, _ = name.rpartition(":")
        for key in (platform, name):
            if key in self.failures:
                raise ScanError(self.failures[key])
        held = self.registry.read(repository, digest)
        if "manifests" in held:
            held = self.registry.read(repository, held["manifests"][platform])
        assert held["platform"] == platform
        findings = [
            Finding(f"CVE-{package}-{fixed}", package, str(version), str(fixed), severity)
            for package, version in held["packages"].items()
            for fixed, severity in [self.vulnerable.get(package, (0, Severity.UNKNOWN))]
            if version < fixed
        ]
        family, version = held["os"]
        file.write_text(json.dumps([(each.package, each.fixed) for each in findings]), encoding="utf-8")
        return Report(platform, family, version, family in self.ended, tuple(findings), None, file)
