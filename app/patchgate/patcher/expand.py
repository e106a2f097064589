"""Expands the image lists: lines and patterns to the images that a run looks at, in the order of the last attempt.

What a line means is the snapshot's part: names under their canonical registries, of two lines of one tag the first,
labelled lists beside the main one. A pattern is matched against the registry's tags as they come (`match_tags`), and no
further than it may stand for; one that fails costs no other line. Pure: who asks the registries is an argument.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from patchgate.errors import RegistryError
from patchgate.limits import TAGS_OF_A_PATTERN
from patchgate.patcher.image import Target
from patchgate.patcher.shard import Shard
from patchgate.policy.part import LineState, ListLine, Problem
from patchgate.policy.pattern import expands_to, why_never_listed
from patchgate.policy.policy import Naming
from patchgate.policy.repository import Repository
from patchgate.policy.snapshot import Snapshot

_ALL: Final = Shard()
_ALWAYS: Final = "*"
_FAILURES: Final = frozenset({LineState.REFUSED, LineState.FAILED})
_NEVER_TRIED: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Matches:
    """What the patterns of a repository stand for.

    Attributes:
        tags: of each pattern, in the order of the list; one more than it may stand for where it stands for too many.
        fault: why the tags are not known; empty where they are.
        is_left: whether they are not known because the run was stopped.
    """

    tags: Sequence[tuple[ListLine, Sequence[str]]] = ()
    fault: str = ""
    is_left: bool = False


FindMatches = Callable[[Sequence[Repository]], Sequence[Matches]]
"""Asks registries for the tags of repositories, each of which has patterns; an answer for each, in their order."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """What a run looks at.

    Attributes:
        targets: each image once; never tried ones first, then those tried longest ago; last what a run did not end.
        failures: lines that could not be expanded.
        problems: lines that do not count, because another one does.
        left: lines that were not expanded because the run was stopped.
        matches: repository → what its patterns stand for; of this shard.
    """

    targets: tuple[Target, ...]
    failures: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    left: tuple[Problem, ...] = ()
    matches: Mapping[str, Matches] = field(default_factory=dict)


def expand_lists(snapshot: Snapshot, find_matches: FindMatches, shard: Shard = _ALL) -> Expansion:
    """Expand every line of the lists that is this shard's."""
    targets: list[Target] = []
    failures: list[Problem] = []
    left: list[Problem] = []
    repositories = [each for each in snapshot.repositories.values() if shard.owns(each.name)]
    asked = [each for each in repositories if each.patterns]
    matches = dict(zip((each.name for each in asked), find_matches(asked), strict=True)) if asked else {}
    for repository in repositories:
        found = matches.get(repository.name, Matches())
        lines, faults = _expand(repository, found)
        targets += [_aim(repository, tag, digest, snapshot.policy.naming) for tag, digest in lines]
        failures += faults
        left += [_fail(line, found.fault) for line in repository.patterns if found.is_left]
    in_order = tuple(sorted(targets, key=_order_of_target))
    return Expansion(in_order, tuple(failures), snapshot.conflicts, tuple(left), matches)


def match_tags(repository: Repository, tags: Iterable[str]) -> Matches:
    """Match tags, as they come, against the patterns of a repository; ends where each stands for too many already."""
    found: dict[ListLine, dict[str, None]] = {line: {} for line in repository.patterns}
    growing = list(found)
    try:
        for tag in tags:
            for line in growing:
                if expands_to(line.tag, tag):
                    found[line][tag] = None
            growing = [line for line in growing if len(found[line]) <= TAGS_OF_A_PATTERN]
            if not growing:
                break
    except RegistryError as error:
        return Matches(fault=str(error))
    return Matches([(line, tuple(its_tags)) for line, its_tags in found.items()])


def _expand(repository: Repository, matches: Matches) -> tuple[list[tuple[str, str | None]], list[Problem]]:
    """Expand the lines of a repository to tags, each with the digest that its line pins."""
    own = {tag: line for tag, line in repository.lines.items() if not expands_to(_ALWAYS, tag)}
    failures = [_fail(line, why_never_listed(tag)) for tag, line in own.items()]
    listed = {tag: line.digest for tag, line in repository.lines.items() if tag not in own}
    failures += [_fail(line, why) for line, state, why in list_unmade(repository, matches) if state in _FAILURES]
    for _, tags in matches.tags:
        listed = (dict.fromkeys(tags) if len(tags) <= TAGS_OF_A_PATTERN else {}) | listed
    return list(listed.items()), failures


def list_unmade(repository: Repository, matches: Matches) -> Iterator[tuple[ListLine, LineState, str]]:
    """List the lines with a `*` that stand for no image, each with why, in words too; none where nobody knows."""
    if matches.fault and not matches.is_left:
        for line in repository.patterns:
            yield line, LineState.FAILED, f"cannot be expanded: {matches.fault}"
    for line, tags in matches.tags:
        if len(tags) > TAGS_OF_A_PATTERN:
            yield line, LineState.REFUSED, f"stands for more than {TAGS_OF_A_PATTERN} tags: write narrower ones"
        elif not tags:
            yield line, LineState.EMPTY, "stands for no tag of its registry: until one is pushed it lists nothing"


def _aim(repository: Repository, tag: str, digest: str | None, naming: Naming) -> Target:
    name = repository.name
    return Target(name, tag, digest, naming.find_target(name) or name, repository.find_record(tag))


def _order_of_target(target: Target) -> tuple[int, datetime, str]:
    """Order by the last attempt; what a patcher may have died of comes last, that of which most did at the end."""
    record = target.record
    return record.unended if record else 0, record.updated if record else _NEVER_TRIED, target.key


def _fail(line: ListLine, reason: str) -> Problem:
    return Problem(line.configmap, f"line {line.number}", f"{line.repository}:{line.tag} {reason}")
