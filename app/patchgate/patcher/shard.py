"""A shard: the part of all images that one of several Pods works on (Kubernetes, "Indexed Job"). Pure.

An image belongs to the shard that its repository hashes to, so that two shards never write one record, whatever list or
pattern names it, and each repository's tags are listed by one of them. The repository is the source's, under its
canonical name: that is what its record is kept under.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from patchgate.errors import SetupError

INDEX: Final = "JOB_COMPLETION_INDEX"
"""Set by Kubernetes in each Pod of an Indexed Job, from 0."""
COUNT: Final = "JOB_COMPLETIONS"
"""Set by whoever makes the Job, to its `completions`."""
_DIGITS: Final = 9  # of an int32, which `completions` is


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts.

    Attributes:
        index: from 0.
        count: of all.
    """

    index: int = 0
    count: int = 1

    def owns(self, repository: str) -> bool:
        """Tell whether the images of a repository are this shard's. repository: normalised, canonical."""
        checksum = hashlib.sha256(repository.encode()).digest()
        return int.from_bytes(checksum[:8], "big") % self.count == self.index


def read_shard(environment: Mapping[str, str]) -> Shard:
    """Read which shard this is; the only one where nothing is said.

    Raises:
        SetupError: one of the two variables alone, no number, or an index that is no shard's.
    """
    index, count = environment.get(INDEX, ""), environment.get(COUNT, "")
    if not index and not count:
        return Shard()
    if not index or not count:
        given, missing = (INDEX, COUNT) if index else (COUNT, INDEX)
        raise SetupError(f"{given} is set and {missing} is not: set both (an Indexed Job and its completions) or none")
    shard = Shard(_read_number(INDEX, index), _read_number(COUNT, count))
    if shard.index >= shard.count:
        raise SetupError(f"{INDEX} is {index}, and of {COUNT} {count} the last is {shard.count - 1}: mend {COUNT}")
    return shard


def _read_number(name: str, text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= _DIGITS:
        return int(text)
    raise SetupError(f"{name} is {text}: must be a number")
