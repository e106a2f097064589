"""Copies a manifest with all that it needs to another repository (OCI distribution specification 1.1).

Blobs are mounted where both repositories are of one registry ("Mounting a blob from another repository"), else read and
written in parts, so that no layer is ever whole in memory ("Pushing a blob in chunks"). The manifest comes last.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from patchgate.errors import RegistryError
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.session import Request
from patchgate.policy.reference import is_digest
from patchgate.validation import say_first_error

PART_BYTES: Final = 8 * 1024 * 1024
"""One part of a blob in memory."""
COPIED_BYTES: Final = 20 * 1024 * 1024 * 1024
"""All blobs of one manifest: large models are smaller."""
COPIED_BLOBS: Final = 200
"""Blobs of one manifest: containerd takes 127 layers."""


class Place(Protocol):
    """A repository where it is asked for: its host, path and the scope of a token for it."""

    @property
    def host(self) -> str:
        """Of the registry, or its mirror."""
        ...

    @property
    def path(self) -> str:
        """Of the repository."""
        ...

    @property
    def scope(self) -> str:
        """What a token must allow."""
        ...


@dataclass(frozen=True, slots=True)
class Copying:
    """From where to where, and how is asked.

    Attributes:
        source: where the manifest is.
        target: where it goes.
        ask: asks a registry; raises RegistryError where no answer comes.
        expect: raises RegistryError where an answer of a place is no success.
        find_upload: gives the path of an upload that a Location names; empty where it names none.
        check: called before each part; raises where the time is over or the run is to end.
    """

    source: Place
    target: Place
    ask: Callable[[Request], Answer]
    expect: Callable[[Place, Answer], None]
    find_upload: Callable[[str], str]
    check: Callable[[], None]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _BlobSchema(_Schema):
    digest: str
    size: int = Field(ge=0, le=COPIED_BYTES)
    urls: tuple[str, ...] = ()


class _ManifestSchema(_Schema):
    media_type: str = Field(default="", alias="mediaType")
    config: _BlobSchema
    layers: tuple[_BlobSchema, ...] = ()


def copy_manifest(copying: Copying, digest: str, manifest: Answer) -> None:
    """Copy a manifest of one platform. manifest: as the source's registry gave it, checked against its digest.

    Raises:
        RegistryError: it cannot be read or written, or is larger than any image.
    """
    try:
        read = _ManifestSchema.model_validate_json(manifest.body)
    except ValidationError as error:
        raise RegistryError(f"{copying.source}@{digest} cannot be copied: {say_first_error(error)}") from None
    blobs = {each.digest: each for each in (read.config, *read.layers) if not each.urls}
    if len(blobs) > COPIED_BLOBS or sum(each.size for each in blobs.values()) > COPIED_BYTES:
        raise RegistryError(f"{copying.source}@{digest} is too large to be copied to {copying.target}")
    for blob in blobs.values():
        if not is_digest(blob.digest):
            raise RegistryError(f"{copying.source}@{digest} names a blob by what is no digest: push it again")
        _copy_blob(copying, blob)
    kind = read.media_type or manifest.headers.get("Content-Type", "")
    path = f"/v2/{copying.target.path}/manifests/{digest}"
    _send(copying, "PUT", path, {"Content-Type": kind}, manifest.body)


def _copy_blob(copying: Copying, blob: _BlobSchema) -> None:
    copying.check()
    target = copying.target
    there = copying.ask(Request("HEAD", target.host, f"/v2/{target.path}/blobs/{blob.digest}", target.scope))
    if there.status == HTTPStatus.OK:
        return
    begun = _mount(copying, blob.digest) if copying.source.host == target.host else _begin(copying)
    if begun.status == HTTPStatus.CREATED:
        return
    upload = _locate(copying, begun)
    checksum = hashlib.new(blob.digest.partition(":")[0])
    for start, part in _read_parts(copying, blob):
        checksum.update(part)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{start}-{start + len(part) - 1}",
        }
        upload = _locate(copying, _send(copying, "PATCH", upload, headers, part))
    if f"{blob.digest.partition(':')[0]}:{checksum.hexdigest()}" != blob.digest:
        raise RegistryError(f"{copying.source} gives other content than {blob.digest}: the registry is broken")
    mark = "&" if "?" in upload else "?"
    _send(copying, "PUT", f"{upload}{mark}{urlencode({'digest': blob.digest})}", {}, b"")


def _mount(copying: Copying, digest: str) -> Answer:
    """Mount a blob; a registry that does not begins an upload instead (202)."""
    query = urlencode({"mount": digest, "from": copying.source.path})
    scope = f"{copying.target.scope} repository:{copying.source.path}:pull"
    path = f"/v2/{copying.target.path}/blobs/uploads/?{query}"
    answer = copying.ask(Request("POST", copying.target.host, path, scope, {"Content-Length": "0"}, b""))
    return answer if answer.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED) else _begin(copying)


def _begin(copying: Copying) -> Answer:
    return _send(copying, "POST", f"/v2/{copying.target.path}/blobs/uploads/", {"Content-Length": "0"}, b"")


def _locate(copying: Copying, answer: Answer) -> str:
    upload = copying.find_upload(answer.headers.get("Location", ""))
    if not upload:
        raise RegistryError(f"{copying.target} does not say where to upload: the registry is broken")
    return upload


def _read_parts(copying: Copying, blob: _BlobSchema) -> Iterator[tuple[int, bytes]]:
    """Read a blob in parts, each with where it begins."""
    source = copying.source
    path = f"/v2/{source.path}/blobs/{quote(blob.digest, safe=':')}"
    for start in range(0, blob.size, PART_BYTES):
        copying.check()
        end = min(start + PART_BYTES, blob.size) - 1
        headers = {"Range": f"bytes={start}-{end}"}
        answer = copying.ask(Request("GET", source.host, path, source.scope, headers, most_bytes=PART_BYTES))
        copying.expect(source, answer)
        if len(answer.body) != end - start + 1:
            raise RegistryError(f"{source} gives no parts of a blob: push the image to {copying.target} yourself")
        yield start, answer.body


def _send(copying: Copying, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    answer = copying.ask(Request(method, copying.target.host, path, copying.target.scope, headers, body))
    copying.expect(copying.target, answer)
    return answer
