"""Candidates and their tags in the registry: pushed under a name nobody else uses, tagged for good once verified.

Two runs at once, or two sources that are pushed to one repository, must not give one tag two meanings: a tag is looked
for and given while the store holds it. Copa overwrites without asking, so that goes for a candidate's whole build. A
candidate's tag outlives a run that is interrupted: the next one goes on from it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from patchgate.errors import FixError, HeldError, ImageError, RegistryError
from patchgate.limits import TAG_LOCK_SECONDS
from patchgate.patcher.finding import Report
from patchgate.patcher.fixer import Fixer
from patchgate.patcher.image import Manifest, Target
from patchgate.patcher.naming import name_candidates, name_patched, name_platform_tags
from patchgate.patcher.registry import Registry
from patchgate.patcher.store import Store
from patchgate.patcher.tools import Deadline

COPIED_PLATFORMS: Final = 32
"""Platforms that stay as they are and are copied beside the patched ones: official images have a dozen."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patched image that is pushed and not yet verified.

    Attributes:
        repository: normalised.
        tag: the candidate's own.
        manifest: what the registry has under it.
    """

    repository: str
    tag: str
    manifest: Manifest

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}@{self.manifest.digest}"


@dataclass(frozen=True, slots=True)
class Build:
    """What is to be built.

    Attributes:
        source: what is patched.
        target: where it comes from, and where it goes.
        reports: of its platforms that have findings.
        now: aware UTC.
        deadline: of the image.
    """

    source: Manifest
    target: Target
    reports: Sequence[Report]
    now: datetime
    deadline: Deadline


@contextmanager
def build_candidate(build: Build, fixer: Fixer, registry: Registry, store: Store) -> Iterator[Candidate]:
    """Patch a source and push it; the candidate's tags are taken away when the block ends well.

    Raises:
        ImageError: nothing was pushed, or nothing that the registry can describe.
    """
    repository = build.target.push_repository
    if build.source.unnamed:
        raise FixError(f"its index has an entry without a platform ({build.source.unnamed[0]}): push it with platforms")
    platforms = tuple(build.source.platforms) if build.source.is_index else ()
    names = name_candidates(build.target.tag, build.now, platforms)
    with _hold_free_tag(names, platforms, repository, registry, store) as tag:
        digest = _push(build, tag, fixer, registry)
    if digest is None:
        raise FixError("Copa ended well and pushed nothing: look at its output in the log, and report it")
    if build.source.is_index:  # a tag that was told to Copa is no version of the image
        digest = registry.restore_version(repository, digest, build.target.repository, build.source.digest)
    candidate = Candidate(repository, tag, registry.describe(repository, digest))
    yield candidate
    delete_candidate(candidate, registry)


def tag_patched(candidate: Candidate, tag: str, registry: Registry, store: Store, now: datetime) -> str:
    """Give a verified candidate the first patched tag of the day that means nothing else; give that tag.

    tag: the source's.

    Raises:
        ImageError: the registry refuses, or all tags of the day are taken.
    """
    digest = candidate.manifest.digest
    for name in name_patched(tag, now):
        with store.hold_tag(f"{candidate.repository}:{name}", TAG_LOCK_SECONDS):
            there = registry.find_digest(candidate.repository, name)
            if there is None:
                registry.tag(candidate.repository, digest, name)
            if there in {None, digest}:
                return name
    raise ImageError("no tag of today is free")  # pragma: no cover -- name_patched raises before it ends


def delete_candidate(candidate: Candidate, registry: Registry) -> None:
    """Delete a candidate's tags, where the registry allows it."""
    _delete_tags(candidate.repository, candidate.tag, candidate.manifest, registry)


def _push(build: Build, tag: str, fixer: Fixer, registry: Registry) -> str | None:
    """Patch and push under a tag that is held; give the digest that the registry has then."""
    source, target = build.source, build.target
    _copy_untouched(build, registry)
    try:
        fixer.fix(
            f"{target.key}@{source.digest}",
            build.reports,
            f"{target.push_repository}:{tag}",
            is_index=source.is_index,
            limit_seconds=build.deadline.find_seconds_left(),
        )
        return registry.find_digest(target.push_repository, tag)
    except ImageError:
        _delete_tags(target.push_repository, tag, source, registry)
        raise


def _copy_untouched(build: Build, registry: Registry) -> None:
    """Copy the platforms of an index that stay as they are to where it goes: a registry refuses an index without them.

    Raises:
        ImageError: they cannot be copied, or are too many.
    """
    source, target = build.source, build.target
    if not source.is_index or target.push_repository == target.repository:
        return
    patched = {report.platform for report in build.reports}
    untouched = {digest: name for name, digest in source.platforms.items() if name not in patched}
    if len(untouched) > COPIED_PLATFORMS:
        raise FixError(f"its index has {len(untouched)} platforms beside those to patch: push one with fewer")
    for digest in untouched:
        registry.copy(target.repository, digest, target.push_repository, build.deadline.find_seconds_left())


@contextmanager
def _hold_free_tag(
    names: Iterator[str], platforms: Sequence[str], repository: str, registry: Registry, store: Store
) -> Iterator[str]:
    """Hold the first tag that nobody has given a meaning or is about to.

    Free are all the names that will be pushed: a tag of a platform that an earlier build left behind may be immutable.
    """
    for name in names:
        with ExitStack() as held:
            try:
                held.enter_context(store.hold_tag(f"{repository}:{name}", 0))
            except HeldError:  # a build may last: take the next
                continue
            all_names = (name, *name_platform_tags(name, platforms))
            if all(registry.find_digest(repository, each) is None for each in all_names):
                yield name
                return


def _delete_tags(repository: str, tag: str, manifest: Manifest, registry: Registry) -> None:
    """Delete a tag, and those that Copa pushes beside an index's; one that stays is in nobody's way."""
    beside = name_platform_tags(tag, manifest.platforms) if manifest.is_index else []
    for name in (tag, *beside):
        with suppress(RegistryError):
            registry.delete_tag(repository, name)
