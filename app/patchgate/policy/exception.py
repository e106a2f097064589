"""Exceptions: images that somebody answers for, until a date.

Decides whether one covers an image. That reason, owner and expiry are there is checked where the ConfigMap is read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from patchgate.policy.pattern import Pattern, matches_glob
from patchgate.policy.policy import Naming
from patchgate.policy.reference import Reference


@dataclass(frozen=True, slots=True)
class ImageException:
    """One entry of `copa-exceptions`.

    Attributes:
        pattern: the images it covers.
        namespaces: patterns of namespaces; empty covers every one.
        reason: why, for people.
        owner: who answers for it.
        expires: until when, aware UTC.
    """

    pattern: Pattern
    namespaces: tuple[str, ...]
    reason: str
    owner: str
    expires: datetime

    def covers(self, reference: Reference, source_tags: Iterable[str], namespace: str | None, now: datetime) -> bool:
        """Tell whether the exception holds for the image, its repository already matched.

        source_tags: the tags whose record has the reference's digest as a source.
        namespace: where it is to run; None where nobody said, which only an exception for every namespace covers.
        """
        return (
            now < self.expires
            and self.holds_in(namespace)
            and self._covers_tag(reference, source_tags)
            and self.pattern.digest in (None, reference.digest)
        )

    def under(self, naming: Naming) -> "ImageException":
        """Give the exception with its repository under its canonical name."""
        renamed = self.pattern.rename(naming.canonical)
        return self if renamed == self.pattern else replace(self, pattern=renamed)

    def holds_in(self, namespace: str | None) -> bool:
        """Tell whether it is for that namespace."""
        if not self.namespaces:
            return True
        return namespace is not None and any(matches_glob(pattern, namespace) for pattern in self.namespaces)

    def _covers_tag(self, reference: Reference, source_tags: Iterable[str]) -> bool:
        if self.pattern.tag is None:
            return True
        tags = source_tags if reference.digest else filter(None, (reference.tag,))
        return any(matches_glob(self.pattern.tag, tag) for tag in tags)


@dataclass(frozen=True, slots=True)
class ExceptionIndex:
    """Exceptions by what they name.

    One that names a repository costs others nothing; one with a `*` in its path is looked at for each image of its
    registry.

    Attributes:
        by_repository: normalised repository → exceptions that name just it.
        by_registry: normalised registry → exceptions whose path has a `*`.
    """

    by_repository: Mapping[str, Sequence[ImageException]]
    by_registry: Mapping[str, Sequence[ImageException]]

    @classmethod
    def build(cls, exceptions: Iterable[ImageException]) -> "ExceptionIndex":
        """Index the exceptions."""
        by_repository: dict[str, list[ImageException]] = {}
        by_registry: dict[str, list[ImageException]] = {}
        for exception in exceptions:
            pattern = exception.pattern
            index = by_repository if pattern.is_literal else by_registry
            key = f"{pattern.registry}/{pattern.path}" if pattern.is_literal else pattern.registry
            index.setdefault(key, []).append(exception)
        return cls(by_repository, by_registry)

    def find(self, reference: Reference) -> Sequence[ImageException]:
        """Give the exceptions whose pattern names the reference's repository."""
        naming_it = self.by_repository.get(reference.repository, ())
        candidates = self.by_registry.get(reference.registry)
        if not candidates:
            return naming_it
        covers = (each for each in candidates if each.pattern.covers_repository(reference.registry, reference.path))
        return (*naming_it, *covers)
