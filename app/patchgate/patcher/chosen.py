"""Which of the listed images a run is asked for. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from patchgate.errors import InvalidReferenceError, SetupError
from patchgate.patcher.expand import Expansion
from patchgate.patcher.shard import Shard
from patchgate.policy.policy import Naming
from patchgate.policy.reference import Reference

_ALL: Final = Shard()


def choose(expansion: Expansion, images: Iterable[str], naming: Naming, shard: Shard = _ALL) -> Expansion:
    """Give the images that are named, in the run's order; all where none is.

    images: `REPO:TAG` in any spelling. A run of some has no say in lines that cannot be expanded.
    shard: whose images were expanded; of others nothing is known here.

    Raises:
        SetupError: one does not parse, or no list has it.
    """
    named = {_name(image, naming): image for image in images}
    if not named:
        return expansion
    named = {key: image for key, image in named.items() if shard.owns(key.rpartition(":")[0])}
    listed = {target.key for target in expansion.targets}
    for key, image in named.items():
        if key not in listed:
            why = f" ({expansion.failures[0]})" if expansion.failures else ""
            raise SetupError(f"{image} is in no image list: list it first, or name an image that is{why}")
    targets = tuple(target for target in expansion.targets if target.key in named)
    return replace(expansion, targets=targets, failures=())


def _name(image: str, naming: Naming) -> str:
    try:
        reference = naming.rename(Reference.parse(image))
    except InvalidReferenceError as error:
        raise SetupError(f"IMAGE {image}: {error}") from error
    return f"{reference.repository}:{reference.tag}"
