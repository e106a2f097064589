"""The one resolve of an image: what its tag is now. From here on digests alone count."""

from patchgate.errors import RegistryError
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.patcher.image import Target
from patchgate.patcher.plan import Facts
from patchgate.patcher.registry import Registry
from patchgate.policy.record import Scanner
from patchgate.policy.reference import is_digest
from patchgate.policy.verdict import show


def resolve(target: Target, registry: Registry, scanner: Scanner) -> Facts:
    """Ask what the tag is now, and whether what is approved of that is still there.

    Two HEADs, and of an index one more for each platform that is approved: without those it cannot be pulled.

    Raises:
        RegistryError: it cannot be asked, or answers with what is no digest.
    """
    source = registry.find_digest(target.repository, target.digest or target.tag)
    if source is not None and not is_digest(source):
        raise RegistryError(f"its registry names it by {show(source, SHOWN_VALUE_CHARACTERS)!r}, which is no digest")
    approved = target.record.approved if target.record and target.record.source_digest == source else None
    has_approved = approved is not None and all(
        registry.find_digest(approved.repository, digest) for digest in sorted(approved.digests)
    )
    return Facts(source, has_approved, scanner)
