"""Images as the patcher sees them: what a list asks for, and what a registry holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from patchgate.errors import RegistryError
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.policy.record import Record
from patchgate.policy.reference import is_digest
from patchgate.policy.verdict import show


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
        unnamed: digests of an index's children that say nothing of their platform.

    Raises:
        RegistryError: something in it is no digest. A record that names it could not be read again.
    """

    digest: str
    is_index: bool
    platforms: Mapping[str, str]
    unnamed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_digest(self.digest):
            raise RegistryError(f"its registry names it by {_quote(self.digest)}, which is no digest")
        for platform, digest in self.platforms.items():
            if not is_digest(digest):
                raise RegistryError(
                    f"its index names {_quote(platform)} by {_quote(digest)}, which is no digest: push it again"
                )


def _quote(text: str) -> str:
    return repr(show(text, SHOWN_VALUE_CHARACTERS))
