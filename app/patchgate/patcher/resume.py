"""Goes on from what an interrupted run has built: the candidate that the record tells of, or none.

Only our own records say what is a candidate: a tag that anybody may push says nothing. It serves where a build now
would make the same, of the same source by the same findings; then it is verified as any other.
"""

from contextlib import suppress

from patchgate.errors import RegistryError
from patchgate.patcher.candidate import Candidate, delete_candidate
from patchgate.patcher.image import Target
from patchgate.patcher.naming import is_candidate
from patchgate.patcher.record_step import round_scanner
from patchgate.patcher.registry import Registry
from patchgate.policy.record import Scanner


def find_interrupted(target: Target, source_digest: str, scanner: Scanner, registry: Registry) -> Candidate | None:
    """Find the candidate to go on from; the tag of one that is of no use any more is taken away.

    Raises:
        RegistryError: it cannot be asked.
    """
    left = target.record.unverified if target.record else None
    if left is None or left.repository != target.push_repository or not is_candidate(left.tag, target.tag):
        return None
    if registry.find_digest(left.repository, left.digest) is None:
        return None
    candidate = Candidate(left.repository, left.tag, registry.describe(left.repository, left.digest))
    if (left.source_digest, left.database) == (source_digest, round_scanner(scanner).database):
        return candidate
    _take_away(candidate, registry)
    return None


def _take_away(candidate: Candidate, registry: Registry) -> None:
    """Take the tag away, where it is still this one's."""
    with suppress(RegistryError):
        if registry.find_digest(candidate.repository, candidate.tag) == candidate.manifest.digest:
            delete_candidate(candidate, registry)
