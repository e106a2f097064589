"""What the patcher asks of a vulnerability scanner; Trivy is the one there is."""

from pathlib import Path
from typing import Protocol

from patchgate.patcher.finding import Report
from patchgate.policy.record import Scanner


class ImageScanner(Protocol):
    """Scans images in registries. Blocks."""

    def probe(self) -> Scanner:
        """Say who scans, and how old its database is.

        Raises:
            SetupError: there is no scanner, or it has no database.
        """
        ...

    def scan(self, image: str, platform: str, file: Path, limit_seconds: float) -> Report:
        """Scan one platform of `REPO:TAG@DIGEST`; the report is written to the file, and checked.

        Raises:
            ScanError: no report that may be believed came within the limit.
        """
        ...
