"""Expands the image lists: lines and patterns to the images that a run looks at, oldest verified first.

What a line means is the snapshot's part: names under their canonical registries, of two lines of one tag the first,
labelled lists beside the main one. A pattern is asked of the registry; one that fails costs no other line.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from patchgate.errors import RegistryError
from patchgate.limits import TAGS_OF_A_PATTERN
from patchgate.patcher.image import Target
from patchgate.patcher.shard import Shard
from patchgate.policy.part import ListLine, Problem
from patchgate.policy.pattern import expands_to
from patchgate.policy.policy import Naming
from patchgate.policy.reference import is_tag
from patchgate.policy.repository import Repository
from patchgate.policy.snapshot import Snapshot

_ALL: Final = Shard()
_ALWAYS: Final = "*"
_NEVER_VERIFIED: Final = datetime.min.replace(tzinfo=UTC)
_OWN_TAG: Final = "is a tag that the patcher makes: list its source tag"


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a run looks at.

    Attributes:
        targets: each image once; never verified ones first, then oldest `verified` first.
        failures: lines that could not be expanded.
        problems: lines that do not count, because another one does.
    """

    targets: tuple[Target, ...]
    failures: tuple[Problem, ...]
    problems: tuple[Problem, ...]


def expand_lists(snapshot: Snapshot, list_tags: Callable[[str], Iterable[str]], shard: Shard = _ALL) -> Expansion:
    """Expand every line of the lists that is this shard's.

    list_tags: lists a repository's tags (`Registry.list_tags`); asked once of a repository that has a pattern.
    """
    targets: list[Target] = []
    failures: list[Problem] = []
    for repository in filter(lambda each: shard.owns(each.name), snapshot.repositories.values()):
        lines, faults = _expand(repository, list_tags)
        targets += [_aim(repository, tag, digest, snapshot.policy.naming) for tag, digest in lines]
        failures += faults
    return Expansion(tuple(sorted(targets, key=_order_of_target)), tuple(failures), snapshot.conflicts)


def _expand(
    repository: Repository, list_tags: Callable[[str], Iterable[str]]
) -> tuple[list[tuple[str, str | None]], list[Problem]]:
    """Expand the lines of a repository to tags, each with the digest that its line pins."""
    own = {tag: line for tag, line in repository.lines.items() if not expands_to(_ALWAYS, tag)}
    failures = [_fail(line, _OWN_TAG) for line in own.values()]
    listed = {tag: line.digest for tag, line in repository.lines.items() if tag not in own}
    try:
        matches = _match(repository, list_tags)
    except RegistryError as error:
        return list(listed.items()), [
            *failures,
            *(_fail(line, f"cannot be expanded: {error}") for line in repository.patterns),
        ]
    for line, tags in matches:
        if len(tags) > TAGS_OF_A_PATTERN:
            failures.append(_fail(line, f"stands for more than {TAGS_OF_A_PATTERN} tags: write narrower ones"))
        else:
            listed = dict.fromkeys(tags) | listed
    return list(listed.items()), failures


def _match(repository: Repository, list_tags: Callable[[str], Iterable[str]]) -> Iterator[tuple[ListLine, list[str]]]:
    """Match each pattern against the registry's tags."""
    if not repository.patterns:
        return iter(())
    tags = [tag for tag in list_tags(repository.name) if is_tag(tag)]
    return ((line, _list_matches(line, tags)) for line in repository.patterns)


def _list_matches(line: ListLine, tags: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(tag for tag in tags if expands_to(line.tag, tag)))


def _aim(repository: Repository, tag: str, digest: str | None, naming: Naming) -> Target:
    name = repository.name
    return Target(name, tag, digest, naming.find_target(name) or name, repository.find_record(tag))


def _order_of_target(target: Target) -> tuple[datetime, str]:
    verified = target.record.verified if target.record else None
    return verified or _NEVER_VERIFIED, target.key


def _fail(line: ListLine, reason: str) -> Problem:
    return Problem(line.configmap, f"line {line.number}", f"{line.repository}:{line.tag} {reason}")
