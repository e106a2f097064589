"""The article's loop, repaired so that it works: images one after another, each scanned, patched, pushed.

What it prints is `copa patch --output`, which pushes nothing, and `crane push`, which has nothing to push: here Copa
pushes. Trivy keeps its cache of layers, as it does by default. As in the article, nothing is scanned again.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class ArticleOrder:
    """The loop with its programs.

    Attributes:
        trivy, copa: their paths.
        buildkit: address of BuildKit.
        cache: Trivy's, with its database.
        folder: for reports.
    """

    trivy: Path
    copa: Path
    buildkit: str
    cache: Path
    folder: Path

    def patch_all(self, images: Iterable[str], suffix: str) -> list[str]:
        """Patch the images `REPO:TAG` in their order; give what was pushed, `REPO:TAG` and the suffix.

        Raises:
            subprocess.CalledProcessError: a program failed.
        """
        return [f"{image}{suffix}" for image in images if self._patch(image, suffix)]

    def _patch(self, image: str, suffix: str) -> bool:
        report = self.folder / f"{image.replace('/', '_').replace(':', '_')}.json"
        self._run([str(self.trivy), "image", *self._scan_flags(report), image])
        if not _count_fixable(report):
            return False
        flags = ("--addr", self.buildkit, "--timeout", "10m", "--progress", "plain", "--push")
        self._run([str(self.copa), "patch", *flags, "-i", image, "-r", str(report), "-t", f"{image}{suffix}"])
        return True

    def _scan_flags(self, report: Path) -> Sequence[str]:
        return (
            *("--quiet", "--image-src", "remote", "--scanners", "vuln", "--pkg-types", "os", "--ignore-unfixed"),
            *("--skip-db-update", "--skip-java-db-update", "--offline-scan", "--cache-dir", str(self.cache)),
            *("--format", "json", "--output", str(report)),
        )

    def _run(self, command: Sequence[str]) -> None:
        environment = os.environ | {"TRIVY_INSECURE": "true", "TRIVY_SKIP_VERSION_CHECK": "true"}
        subprocess.run(command, env=environment, capture_output=True, check=True, timeout=_SECONDS)


def _count_fixable(report: Path) -> int:
    results = json.loads(report.read_text(encoding="utf-8")).get("Results", [])
    return sum(len(result.get("Vulnerabilities", [])) for result in results)
