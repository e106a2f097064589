"""The one resolve of an image: what its tag is now. From here on digests alone count."""

from patchgate.patcher.image import Target
from patchgate.patcher.plan import Facts
from patchgate.patcher.registry import Registry
from patchgate.policy.record import Scanner


def resolve(target: Target, registry: Registry, scanner: Scanner) -> Facts:
    """Ask what the tag is now, and whether what is approved of that is still there: two HEADs.

    Raises:
        RegistryError: it cannot be asked.
    """
    source = registry.find_digest(target.repository, target.digest or target.tag)
    approved = target.record.approved if target.record and target.record.source_digest == source else None
    has_approved = bool(approved and registry.find_digest(approved.repository, approved.digest))
    return Facts(source, has_approved, scanner)
