"""Changes: which images a request adds to what an object had, and which of them a Pod template keeps.

Images are compared by what a node would pull, not by their text: the registry's own name, the tag or digest, and
whether the tag is looked up at each start. Decides nothing about an image.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from msgspec import Struct

from patchgate.errors import InvalidReferenceError
from patchgate.limits import IMAGES_OF_A_REQUEST
from patchgate.policy.policy import Effect
from patchgate.policy.reference import Reference, names_registry
from patchgate.policy.snapshot import Snapshot
from patchgate.policy.workload import Image, Object, Operation, list_asked_images, list_images


class Change(Struct, frozen=True, gc=False):
    """What a request does to the images of an object.

    Attributes:
        added: images that it adds, each once, in the order of the object.
        kept: images that an UPDATE of a Pod template keeps: its next Pods have them. None for a Pod, which runs.
    """

    added: tuple[Image, ...]
    kept: tuple[Image, ...] = ()


class _Source(Struct, frozen=True, gc=False):
    """Where a node gets an image from.

    Attributes:
        repository: under its canonical name; the whole text if that is no reference.
        tag: None beside a digest, which alone decides.
        digest: None for a tag.
        is_completed: whether the node chooses the registry, and the policy does not allow that.
    """

    repository: str
    tag: str | None = None
    digest: str | None = None
    is_completed: bool = False


def find_change(
    operation: Operation, obj: Object | None, old: Object | None, subresource: str | None, snapshot: Snapshot
) -> Change:
    """Find what the request adds, and what a template keeps."""
    images = list_asked_images(operation, obj, subresource)
    if operation is not Operation.UPDATE or not images or old is None:
        return Change(images)
    added = _list_added(images, set(list_images(old)), snapshot)
    if obj is None or not obj.is_template:
        return Change(added)
    new = set(added)
    return Change(added, tuple(image for image in images if image not in new)[:IMAGES_OF_A_REQUEST])


def _list_added(images: Iterable[Image], old: Collection[Image], snapshot: Snapshot) -> tuple[Image, ...]:
    """List the images that have no equal among the old ones.

    More of either than a request may have are compared as texts alone: a request is refused for them anyway.
    """
    others = tuple(image for image in images if image not in old)
    if not others or max(len(others), len(old)) > IMAGES_OF_A_REQUEST:
        return others
    known = _Known.of(old, snapshot)
    return tuple(image for image in others if not known.has(image, snapshot))


class _Known(Struct, frozen=True, gc=False):
    """The images that an object had, by where a node gets them from.

    Attributes:
        sources: each with whether it is pulled at each start.
        digests: repository → digests that are named in it, or that a tag of it names now.
    """

    sources: frozenset[tuple[_Source, bool]]
    digests: dict[str, frozenset[str]]

    @classmethod
    def of(cls, images: Iterable[Image], snapshot: Snapshot) -> "_Known":
        """Index the images."""
        sources = frozenset((_find_source(image.text, snapshot), _is_pulled(image)) for image in images)
        digests: dict[str, set[str]] = defaultdict(set)
        for source in {source for source, _ in sources if not source.is_completed}:
            digests[source.repository].update(_list_digests(source, snapshot))
        return cls(sources, {name: frozenset(found) for name, found in digests.items()})

    def has(self, image: Image, snapshot: Snapshot) -> bool:
        """Tell whether a node gets the image from where it got one of these.

        A tag that was pulled at each start and no longer is may be an older copy that the node still has.
        """
        source = _find_source(image.text, snapshot)
        if source.digest:
            is_named = not source.is_completed and source.digest in self.digests.get(source.repository, ())
            return is_named or any((source, is_pulled) in self.sources for is_pulled in (True, False))
        return (source, False) in self.sources or (_is_pulled(image) and (source, True) in self.sources)


def _list_digests(source: _Source, snapshot: Snapshot) -> Iterator[str]:
    """List the digest of the source, or those that its tag names now by its record: tools write TAG@DIGEST for TAG."""
    if source.digest:
        yield source.digest
    repository = snapshot.repositories.get(source.repository)
    record = repository.find_record(source.tag) if repository and source.tag else None
    if record and record.source_digest:
        yield from (record.source_digest, *record.source_platforms.values())


def _find_source(text: str, snapshot: Snapshot) -> _Source:
    try:
        reference = snapshot.policy.naming.rename(Reference.parse(text))
    except InvalidReferenceError:
        return _Source(text)
    is_completed = snapshot.policy.unqualified is not Effect.ALLOW and not names_registry(text)
    tag = None if reference.digest else reference.tag
    return _Source(reference.repository, tag, reference.digest, is_completed)


def _is_pulled(image: Image) -> bool:
    """Tell whether the node asks the registry for the tag at each start."""
    return image.pull_policy == "Always"
