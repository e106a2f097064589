"""Reads manifests, indexes and configurations: OCI image specification 1.1, Docker's schema 2.

Pure: bytes in, values out; whoever reads by digest checks it first.
"""

import hashlib
import json
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import RegistryError
from patchgate.policy.platform import name_platform
from patchgate.validation import say_first_error

INDEX_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_VERSION: Final = "org.opencontainers.image.version"
ACCEPT: Final = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))
"""Without it registries answer 404, or with schema 1."""


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class PlatformSchema(_Schema):
    """A platform."""

    os: str = ""
    architecture: str = ""
    variant: str | None = None

    @property
    def name(self) -> str:
        """`linux/amd64`, normalised (`policy.platform`); empty where unknown."""
        if not self.os or not self.architecture or "unknown" in (self.os, self.architecture):
            return ""
        return name_platform(self.os, self.architecture, self.variant or "")


class DescriptorSchema(_Schema):
    """What a manifest points at."""

    media_type: str = Field(default="", alias="mediaType")
    digest: str
    platform: PlatformSchema | None = None


class ManifestSchema(_Schema):
    """A manifest or an index: the one has `config`, the other `manifests`."""

    media_type: str = Field(default="", alias="mediaType")
    config: DescriptorSchema | None = None
    manifests: tuple[DescriptorSchema, ...] | None = None

    def list_platforms(self) -> dict[str, str]:
        """List an index's platforms → digests; of two equal platforms the first, as containerd takes it."""
        found: dict[str, str] = {}
        for child in self.manifests or ():
            name = child.platform.name if child.platform else ""
            if name and child.media_type not in INDEX_TYPES:
                found.setdefault(name, child.digest)
        return found

    def list_unnamed(self) -> tuple[str, ...]:
        """List the digests of an index's children that say nothing of their platform."""
        return tuple(child.digest for child in self.manifests or () if child.platform is None)


class ConfigSchema(PlatformSchema):
    """An image's configuration: its platform is all that is read."""


def check_digest(body: bytes, digest: str, place: str) -> None:
    """Check that a body is what its digest names.

    Raises:
        RegistryError: it is something else.
    """
    algorithm, _, hexadecimal = digest.partition(":")
    if hashlib.new(algorithm, body).hexdigest() != hexadecimal:
        raise RegistryError(
            f"{place} gives other content than {digest}: the registry, or something before it, is broken"
        )


def read_manifest(body: bytes, place: str) -> ManifestSchema:
    """Read a manifest or an index.

    Raises:
        RegistryError: it is neither, or one of the formats before 2016.
    """
    try:
        manifest = ManifestSchema.model_validate_json(body)
    except ValidationError as error:
        raise RegistryError(f"{place} is not a manifest: {say_first_error(error)}") from None
    if (manifest.config is None) == (manifest.manifests is None):
        raise RegistryError(f"{place} is no image that can be patched: neither manifest nor index")
    return manifest


def restore_version(index: bytes, source: bytes) -> bytes | None:
    """Give an index its source's version again, where a program wrote a tag of its own there; None where it is right.

    Copa writes the tag that it was told to push (OCI image specification, "Pre-Defined Annotation Keys").
    """
    patched, before = json.loads(index), json.loads(source)
    annotations = dict(patched.get("annotations") or {})
    version = (before.get("annotations") or {}).get(_VERSION)
    if annotations.get(_VERSION) == version:
        return None
    restored = {name: text for name, text in annotations.items() if name != _VERSION}
    patched["annotations"] = restored | ({_VERSION: version} if version is not None else {})
    return json.dumps(patched, separators=(",", ":")).encode()


def read_config(body: bytes, place: str) -> ConfigSchema:
    """Read an image's configuration.

    Raises:
        RegistryError: it is none.
    """
    try:
        return ConfigSchema.model_validate_json(body)
    except ValidationError as error:
        raise RegistryError(f"{place} has no configuration that can be read: {say_first_error(error)}") from None
