"""Debian images that lack their security updates, in the node's registry, with what patching them takes."""

from pathlib import Path
from typing import Final

from tests.node import addresses, vulnerability_mirror
from tests.patch.bench import CLEAN, TOOLING, TOOLING_TAGS, Debian
from tests.patch.oci_layout import write_layout
from tests.patch.registry import Registry
from tests.patch.vulnerability_database import DatabaseWriter

TLS: Final = f"{addresses.REGISTRY}/debian/tls:1.0"
TEXT: Final = f"{addresses.REGISTRY}/debian/text:1.0"
SHARDED: Final = tuple(f"{addresses.REGISTRY}/shards/{name}:1.0" for name in ("text", "tls"))
"""In the order of the shards that they belong to, of two."""
LATER: Final = f"{addresses.REGISTRY}/later/text:1.0"
_IMAGES: Final = (TLS, TEXT, *SHARDED, LATER)
DATABASE: Final = f"{addresses.REGISTRY}/{vulnerability_mirror.REPOSITORY}:{vulnerability_mirror.TAG}"


def push_debian_images(registry: Registry, debian: Debian, writer: DatabaseWriter, folder: Path) -> None:
    """Push the images above, Copa's tooling images, and Trivy's database of what those lack. folder: an empty one."""
    for image in _IMAGES:
        repository, tag = image.removeprefix(f"{addresses.REGISTRY}/").split(":")
        root = debian.roots[repository.partition("/")[2]]
        registry.push(write_layout(folder / repository, root, labels={"image": image}), repository, tag)
    registry.push(write_layout(folder / "tooling", debian.roots[CLEAN]), TOOLING, *TOOLING_TAGS)
    database = writer.write(folder / "database", debian.facts)
    vulnerability_mirror.push_database(registry, database, folder / "database-layout")
