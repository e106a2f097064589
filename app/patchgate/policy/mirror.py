"""Mirrors: lines `HOST[/PREFIX] = REGISTRY[/PREFIX]` that say under which other name images are found.

The policy's key `mirrors`, the patcher's `--registry-mirror` and the chart's BuildKit settings share this grammar. A
prefix is whole segments of a path: `harbor.example.com/hub` never covers `harbor.example.com/hub2/nginx`. Of several
lines that cover a repository, the one with the longest prefix applies. A wrong line affects only itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from patchgate.errors import InvalidMirrorError, InvalidReferenceError
from patchgate.policy.lines import BLANKS, read_lines
from patchgate.policy.reference import DOCKER_HUB, Reference, normalise_path

MIRRORS: Final = 500
"""Lines that are read, each with its own prefix: more would make each lookup slow, and are not written by people."""
_LIBRARY: Final = f"{DOCKER_HUB}/library/"


@dataclass(frozen=True, slots=True)
class Mirror:
    """One line.

    Attributes:
        source: the name on the left, normalised: a registry, or a registry and the first segments of a path.
        target: the name on the right, likewise.
    """

    source: str
    target: str

    def rename(self, repository: str) -> str | None:
        """Give the repository (normalised) under the right name; None where the line does not cover it."""
        short = repository.replace(_LIBRARY, f"{DOCKER_HUB}/", 1)  # `docker.io/nginx`, as people write it
        for name in dict.fromkeys((repository, short)):
            if _covers(self.source, name):
                registry, _, path = (self.target + name.removeprefix(self.source)).partition("/")
                return f"{registry}/{normalise_path(registry, path)}"
        return None

    def list_names(self, repository: str) -> Iterator[str]:
        """Give the left names of a repository (normalised) that the right side covers, the other way round."""
        for name in dict.fromkeys((repository, repository.replace(_LIBRARY, f"{DOCKER_HUB}/", 1))):
            if _covers(self.target, name) and name != self.target:
                registry, _, path = (self.source + name.removeprefix(self.target)).partition("/")
                yield f"{registry}/{normalise_path(registry, path)}"


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The lines in force.

    Attributes:
        by_registry: registry of the left name → its lines, the longest prefix first.
    """

    by_registry: Mapping[str, tuple[Mirror, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, mirrors: Iterable[Mirror]) -> "Mirrors":
        """Make them of single lines; of two with one left name the later applies."""
        latest = {mirror.source: mirror for mirror in mirrors}
        by_registry: dict[str, tuple[Mirror, ...]] = {}
        for mirror in sorted(latest.values(), key=lambda each: (-each.source.count("/"), -len(each.source))):
            registry = mirror.source.partition("/")[0]
            by_registry[registry] = (*by_registry.get(registry, ()), mirror)
        return cls(by_registry)

    def __iter__(self) -> Iterator[Mirror]:
        """Give every line."""
        return (mirror for mirrors in self.by_registry.values() for mirror in mirrors)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.by_registry)

    def rename(self, repository: str) -> str:
        """Give the repository (normalised) under the right name of its line; unchanged where no line covers it."""
        registry = repository.partition("/")[0]
        names = (mirror.rename(repository) for mirror in self.by_registry.get(registry, ()))
        return next((name for name in names if name), repository)

    def rename_fully(self, repository: str) -> str:
        """Rename until no line covers the name any more.

        Lines that `read_mirrors` gives have no circles; with others a name that does not come to an end is kept.
        """
        name = repository
        for _ in range(MIRRORS):
            renamed = self.rename(name)
            if renamed == name:
                return name
            name = renamed
        return repository


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line that has no effect.

    Attributes:
        number: of the line, from 1.
        reason: what is wrong, and what to write instead.
    """

    number: int
    reason: str


def parse_mirror(text: str) -> Mirror:
    """Parse `HOST[/PREFIX] = REGISTRY[/PREFIX]`.

    Raises:
        InvalidMirrorError: it is not a mirror; the text says what to write instead.
    """
    left, equals, right = text.partition("=")
    if not equals or not left.strip() or not right.strip():
        raise InvalidMirrorError("write HOST[/PREFIX] = HOST[/PREFIX]")
    mirror = Mirror(parse_prefix(left.strip()), parse_prefix(right.strip()))
    if mirror.source == mirror.target:
        raise InvalidMirrorError(f"both sides name {mirror.source}: delete the line, it changes nothing")
    return mirror


def parse_prefix(text: str) -> str:
    """Parse a registry, or a registry and the first segments of a path, and normalise it.

    Raises:
        InvalidMirrorError: it is not a registry with the beginning of a path.
    """
    if "://" in text:
        raise InvalidMirrorError(f"write {text.partition('://')[2]} without {text.partition('://')[0]}://")
    name = text.rstrip("/")
    try:
        reference = Reference.parse_bare(f"{name}/x/x")
        host = Reference.parse_bare(f"{name.partition('/')[0]}/x/x")
    except InvalidReferenceError as error:
        raise InvalidMirrorError(f"{text} is not a registry with the beginning of a path: {error}") from error
    if host.path != "x/x":
        raise InvalidMirrorError(f"{name.partition('/')[0]} is not a registry: write its host name, such as docker.io")
    return f"{reference.registry}/{reference.path}".removesuffix("/x/x")


def read_mirrors(text: str) -> tuple[Mirrors, tuple[WrongLine, ...]]:
    """Read one line each (`#` begins a comment); lines that lead in a circle are wrong too.

    The left name is another name of the right one; a right name that another line has on its left leads further.
    """
    kept: list[Mirror] = []
    wrong: list[WrongLine] = []
    for number, content in list_contents(text, wrong):
        try:
            kept.append(_check(parse_mirror(content), kept))
        except InvalidMirrorError as error:
            wrong.append(WrongLine(number, str(error)))
    return Mirrors.of(kept), tuple(wrong)


def list_contents(text: str, wrong: list[WrongLine]) -> Iterator[tuple[int, str]]:
    """List the lines that are not empty without their comments, each with its number; add to the wrong ones."""
    for line in read_lines(text):
        content = line.text.partition("#")[0].strip(BLANKS)
        if line.fault:
            wrong.append(WrongLine(line.number, line.fault))
        elif content:
            yield line.number, content


def _check(mirror: Mirror, others: list[Mirror]) -> Mirror:
    """Give the line back where it may stand beside the others."""
    if len(others) >= MIRRORS:
        raise InvalidMirrorError(f"there are more than {MIRRORS} lines: merge some with a shorter prefix")
    if any(other.source == mirror.source for other in others):
        raise InvalidMirrorError(f"{mirror.source} has a line already: delete one of them")
    if _leads_back(mirror, others):
        raise InvalidMirrorError(f"{mirror.source} would be its own mirror, by way of {mirror.target}: delete one line")
    return mirror


def _leads_back(mirror: Mirror, others: list[Mirror]) -> bool:
    """Tell whether what the line leads to may lead to the line again."""
    left, reached = list(others), [mirror.target]
    while reached:
        target = reached.pop()
        if _may_meet(target, mirror.source):
            return True
        following = [other for other in left if _may_meet(target, other.source)]
        left = [other for other in left if other not in following]
        reached += [other.target for other in following]
    return False


def _may_meet(target: str, source: str) -> bool:
    """Tell whether a name under the target may be covered by the source, in any spelling of Docker Hub's names."""
    rest = target.removeprefix(f"{DOCKER_HUB}/")
    targets = {target, f"{_LIBRARY}{rest}"} if rest != target and "/" not in rest else {target}
    pairs = product(targets, (source, source.replace(f"{DOCKER_HUB}/", _LIBRARY, 1)))
    return any(_covers(one, other) or _covers(other, one) for one, other in pairs)


def _covers(prefix: str, name: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}/")
