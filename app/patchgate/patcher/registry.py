"""What the patcher asks of registries (OCI distribution specification 1.1); who answers is an adapter's part."""

from collections.abc import Iterator
from typing import Protocol

from patchgate.patcher.image import Manifest


class Registry(Protocol):
    """Every registry that images are pulled from and pushed to. Blocks; each call knows its own limits.

    Every method raises RegistryError where the registry refuses, cannot be reached or answers nonsense, after it has
    tried again where that helps; its text says what to do. Repositories are normalised (`docker.io/library/nginx`).
    """

    def find_digest(self, repository: str, reference: str) -> str | None:
        """Find the digest of a tag or digest with one HEAD; None where there is none."""
        ...

    def describe(self, repository: str, digest: str) -> Manifest:
        """Describe what lies under a digest; what comes is checked against the digest."""
        ...

    def list_tags(self, repository: str) -> Iterator[str]:
        """List the tags, page by page."""
        ...

    def check_push(self, repository: str) -> None:
        """Check the right to push, with an upload that is begun and given up."""
        ...

    def copy(self, repository: str, digest: str, target: str, limit_seconds: float) -> None:
        """Copy a manifest of one platform to another repository, with its blobs; one that is there stays."""
        ...

    def restore_version(self, repository: str, digest: str, source_repository: str, source_digest: str) -> str:
        """Push an index again with the version annotation of its source, by its digest alone; give that digest."""
        ...

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Give the very manifest of the digest another tag."""
        ...

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Delete a tag alone, never what it points at; False where the registry does not let tags be deleted."""
        ...
