"""Image patterns: what an exception covers, and what a `*` in a list line's tag stands for.

A pattern matches whole path segments: `registry.example.com` never matches `registry.example.com.evil.io`. `*` stands
for any characters inside one segment or tag, `**` as the last segment for the rest of a path. The registry is written
out. Without a tag or digest a pattern covers every tag and digest.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Self

from patchgate.errors import InvalidPatternError, InvalidReferenceError
from patchgate.policy.reference import Reference, normalise_path

_REST_OF_PATH: Final = "**"
_ARCHITECTURES: Final = "amd64|386|arm64|arm|ppc64le|s390x|riscv64|mips64le|loong64"
_MADE_BY_THE_PATCHER: Final = re.compile(
    rf".*-(?:patched|candidate)-\d{{8}}(?:\.\d{{2}})?(?:-(?:{_ARCHITECTURES})(?:-v\d+)?)?", re.ASCII
)
"""An index's own tags, and those that Copa pushes beside it, one a platform."""
_OF_ANOTHER_ARTIFACT: Final = re.compile(r"sha(?:256|384|512)-[a-f0-9]{64}(?:\..*)?", re.ASCII)
"""cosign's `sha256-HEX.sig`, `.att`, `.sbom`; the fallback tag of referrers (OCI distribution specification 1.1)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """An image pattern, its registry normalised as an image's is.

    Attributes:
        registry: normalised host, never with a `*`.
        path: segments, the last one perhaps `**`.
        tag: tag, perhaps with `*`; None covers every tag and digest.
        digest: covers this digest alone; None where the pattern has none.
    """

    registry: str
    path: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `REGISTRY/PATH[:TAG][@DIGEST]`.

        Raises:
            InvalidPatternError: the text is no pattern; the error says what to write instead.
        """
        host, slash, rest = text.partition("/")
        if not slash or "*" in host or not ("." in host or ":" in host or host == "localhost"):
            raise InvalidPatternError("write the registry out: docker.io/library/nginx:*, registry.example.com/team/**")
        path = re.split("[:@]", rest, maxsplit=1)[0]
        *others, last = path.split("/")
        if any(_REST_OF_PATH in segment for segment in others) or (_REST_OF_PATH in last and last != _REST_OF_PATH):
            raise InvalidPatternError("** stands alone, as the last segment of a path")
        example = _parse_example(text)
        tag = rest.partition("@")[0].removeprefix(path).removeprefix(":") or None
        return cls(example.registry, _normalise(example.registry, path), tag, example.digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.path}{tag}{digest}"

    def covers_repository(self, registry: str, path: str) -> bool:
        """Tell whether the pattern names the repository, its tag and digest aside."""
        return registry == self.registry and matches_path(self.path, path)

    def rename(self, canonical: Callable[[str], str]) -> "Pattern":
        """Give the pattern with its repository renamed. canonical: names a repository, of which `*` may be segments.

        What `**` stands for is renamed by what is before it: a mirror that covers only a part of it does not apply.
        """
        rest = "/" + _REST_OF_PATH if self.path.endswith(_REST_OF_PATH) else ""
        beginning = f"{self.registry}/{self.path}".removesuffix(rest)
        probe = "/x/x" if rest else ""  # two segments, which no registry completes
        registry, _, path = (canonical(beginning + probe).removesuffix(probe) + rest).partition("/")
        return replace(self, registry=registry, path=path)

    @property
    def is_literal(self) -> bool:
        """Whether the pattern names one repository."""
        return "*" not in self.path


def matches_path(pattern: str, path: str) -> bool:
    """Tell whether the pattern's segments match the path's, one by one; `**` at the end takes one or more."""
    wanted, given = pattern.split("/"), path.split("/")
    if wanted[-1] == _REST_OF_PATH:
        wanted = wanted[:-1]
        if len(given) <= len(wanted):
            return False
        given = given[: len(wanted)]
    return len(wanted) == len(given) and all(map(matches_glob, wanted, given))


def matches_glob(pattern: str, text: str) -> bool:
    """Tell whether the text matches the pattern, in which `*` is any characters, none included.

    Linear in the length of both for each `*`: parts are found from the left, so no pattern can blow up.
    """
    first, *others = pattern.split("*")
    if not others:
        return text == pattern
    if not text.startswith(first):
        return False
    position = len(first)
    for part in others[:-1]:
        found = text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return len(text) - position >= len(others[-1]) and text.endswith(others[-1])


def expands_to(pattern: str, tag: str) -> bool:
    """Tell whether a list line's tag stands for the tag.

    A `*` never does for a tag that the patcher made, nor for one that belongs to an image and is none itself.
    """
    return matches_glob(pattern, tag) and not is_made_by_the_patcher(tag) and not is_of_another_artifact(tag)


def why_never_listed(tag: str) -> str:
    """Say why a line with this very tag can list no image; empty where it can."""
    if is_made_by_the_patcher(tag):
        return "is a tag that the patcher makes: list its source tag"
    if is_of_another_artifact(tag):
        return "is the tag of a signature, an attestation or an SBOM, and not of an image: delete the line"
    return ""


def is_made_by_the_patcher(tag: str) -> bool:
    """Tell whether a tag looks like one that the patcher gives: it is an answer, nothing to patch."""
    return _MADE_BY_THE_PATCHER.fullmatch(tag) is not None


def is_of_another_artifact(tag: str) -> bool:
    """Tell whether a tag looks like one of a signature, an attestation, an SBOM or a list of referrers."""
    return _OF_ANOTHER_ARTIFACT.fullmatch(tag) is not None


def _normalise(registry: str, path: str) -> str:
    return path if path == _REST_OF_PATH else normalise_path(registry, path)


def _parse_example(pattern: str) -> Reference:
    """Parse one of the references that a pattern covers: what is wrong with it is wrong with the pattern."""
    try:
        return Reference.parse_bare(pattern.replace(_REST_OF_PATH, "x").replace("*", "x"))
    except InvalidReferenceError as error:
        raise InvalidPatternError(str(error)) from error
