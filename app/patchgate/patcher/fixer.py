"""What the patcher asks of the program that patches; Copa with BuildKit is the one there is."""

from collections.abc import Sequence
from typing import Protocol

from patchgate.patcher.finding import Report


class Fixer(Protocol):
    """Makes a patched image of a scanned one and pushes it. Blocks."""

    def probe(self) -> None:
        """Look whether it can work at all.

        Raises:
            SetupError: the program is missing or too old, or a setting of it cannot be used.
        """
        ...

    def wait_until_ready(self, limit_seconds: float) -> None:
        """Wait for what it builds with: BuildKit. Images that need no build do not need it.

        Raises:
            FixError: it is not there within the limit.
        """
        ...

    def can_patch(self, report: Report) -> bool:
        """Tell whether it knows the report's OS."""
        ...

    def fix(self, image: str, reports: Sequence[Report], target: str, *, is_index: bool, limit_seconds: float) -> None:
        """Patch `REPO:TAG@DIGEST` by reports that have findings, and push the outcome as `REPO:TAG`.

        is_index: whether the image is an index; the outcome is one then, with all of its platforms.

        Raises:
            FixError: nothing that may be used was pushed within the limit.
        """
        ...
