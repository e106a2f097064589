"""Which source tags Flux follows: those of every listed image, under the repository that its patched images go to."""

from collections.abc import Iterable
from dataclasses import dataclass

from patchgate.flux.objects import Followed
from patchgate.policy.overview import TrackedImage
from patchgate.policy.policy import Naming


@dataclass(frozen=True, slots=True)
class Listed:
    """A listed image, to be followed.

    Attributes:
        followed: its source tag.
        image: what to name in Git until Flux writes there: the approved image, else the listed one.
    """

    followed: Followed
    image: str


def list_followed(images: Iterable[TrackedImage], naming: Naming) -> tuple[list[Listed], list[TrackedImage]]:
    """List what can be followed, and what cannot yet: patterns that the patcher has not expanded."""
    listed, unknown = [], []
    for image in images:
        repository, _, tag = image.image.partition("@")[0].rpartition(":")
        if "*" in tag:
            unknown.append(image)
        else:
            followed = Followed(naming.find_target(repository) or repository, tag)
            listed.append(Listed(followed, str(image.approval or image.image)))
    return listed, unknown
