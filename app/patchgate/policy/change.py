"""Changes: which images a request adds to what an object had, and which of them a Pod template keeps.

Images are compared by what a node would pull, not by their text: the registry's own name, the tag or digest, and
whether the tag is looked up at each start. Decides nothing about an image.
"""

from collections.abc import Collection, Iterable

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


def _list_added(images: Iterable[Image], known: Collection[Image], snapshot: Snapshot) -> tuple[Image, ...]:
    """List the images that have no equal among the known ones, which are too many to be parsed only in an attack."""
    others = [image for image in images if image not in known]
    if not others or len(known) > IMAGES_OF_A_REQUEST:
        return tuple(others)
    sources = {(_find_source(image.text, snapshot), _is_pulled(image)) for image in known}
    return tuple(image for image in others if not _is_known(image, sources, snapshot))


def _is_known(image: Image, known: Collection[tuple[_Source, bool]], snapshot: Snapshot) -> bool:
    """Tell whether a node gets the image from where it got one of the known ones.

    A tag that was pulled at each start and no longer is may be an older copy that the node still has.
    """
    source = _find_source(image.text, snapshot)
    if source.digest:
        return any(source == each or _names(each, source.digest, snapshot, source.repository) for each, _ in known)
    return (source, False) in known or (_is_pulled(image) and (source, True) in known)


def _names(known: _Source, digest: str, snapshot: Snapshot, repository: str) -> bool:
    """Tell whether the known tag names the digest now, by its record: tools write `TAG@DIGEST` in its place."""
    if known.tag is None or known.repository != repository or known.is_completed:
        return False
    found = snapshot.repositories.get(repository)
    record = found.find_record(known.tag) if found else None
    return record is not None and digest in (record.source_digest, *record.source_platforms.values())


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
