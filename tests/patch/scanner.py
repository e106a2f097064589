"""Trivy as the tests ask it, without the patcher: what is there to be found in an image."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.plane.program import PATH

OFFLINE = ("--skip-db-update", "--skip-java-db-update", "--offline-scan")
QUIET = {"TRIVY_SKIP_VERSION_CHECK": "true", "TRIVY_DISABLE_TELEMETRY": "true"}


@dataclass(frozen=True, slots=True)
class Scanner:
    """Trivy with one database.

    Attributes:
        program: trivy.
        database: the folder that it takes as its cache.
    """

    program: Path
    database: Path

    def write_report(self, reference: str, report: Path, platform: str = "linux/amd64") -> Path:
        """Scan the image's OS packages for what has a fix, whatever its severity; gives the report's file."""
        command = [
            *(str(self.program), "image", "--quiet", "--cache-backend", "memory", "--image-src", "remote"),
            *("--platform", platform, "--scanners", "vuln", "--pkg-types", "os", "--ignore-unfixed", *OFFLINE),
            *("--format", "json", "--output", str(report), reference),
        ]
        environment = {"PATH": PATH, "HOME": os.environ["HOME"], "TRIVY_CACHE_DIR": str(self.database), **QUIET}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return report

    def find(self, reference: str, folder: Path, platform: str = "linux/amd64") -> set[str]:
        """Find the vulnerabilities that have a fix: PACKAGE/CVE."""
        report = self.write_report(reference, folder / "report.json", platform)
        return read_findings(json.loads(report.read_text(encoding="utf-8")))


def read_findings(report: dict[str, Any]) -> set[str]:
    """Read a report's findings; it must be one of Debian, so that an empty one says something."""
    assert report["Metadata"]["OS"]["Family"] == "debian", report["Metadata"]
    found = [finding for result in report["Results"] for finding in result.get("Vulnerabilities", [])]
    return {f"{finding['PkgID'].partition('@')[0]}/{finding['VulnerabilityID']}" for finding in found}
