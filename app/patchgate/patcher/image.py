"""Images as the patcher sees them: what a list asks for, and what a registry holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from patchgate.policy.record import Record


@dataclass(frozen=True, slots=True)
class Target:
    """One image to keep patched: a line of a list, its pattern expanded.

    Attributes:
        repository: normalised; where the source is pulled from.
        tag: the source tag, never a pattern.
        digest: where the line pins one.
        push_repository: normalised; where its candidate and its patched image go (policy, `push_to`).
        record: what is known of it; None where it is new.
    """

    repository: str
    tag: str
    digest: str | None
    push_repository: str
    record: Record | None

    @property
    def key(self) -> str:
        """`REPO:TAG`, the key of its record."""
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a registry holds under a digest (OCI image specification, manifest and image index).

    Attributes:
        digest: of the manifest or index itself.
        is_index: whether it is an index, of one platform or many.
        platforms: platform (`linux/amd64`, normalised) → digest of its manifest; attestations,
            and children without a platform, are left out.
    """

    digest: str
    is_index: bool
    platforms: Mapping[str, str]
