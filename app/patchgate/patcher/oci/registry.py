"""Registries as the patcher asks them (`patcher.registry.Registry`), by HTTP (OCI distribution specification 1.1).

What is read by digest is checked against it. Pulls go to a registry's mirror where it has one; pushes never do.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urlsplit

from patchgate.errors import RegistryError
from patchgate.limits import CONFIG_BLOB_BYTES, MANIFEST_ANSWER_BYTES, TAG_PAGES, TAGS_OF_A_PAGE
from patchgate.patcher.image import Manifest
from patchgate.patcher.oci.answer import Answer
from patchgate.patcher.oci.copying import Copying, Place, copy_manifest
from patchgate.patcher.oci.hosts import Hosts
from patchgate.patcher.oci.manifest import (
    ACCEPT,
    INDEX_TYPES,
    ConfigSchema,
    ManifestSchema,
    check_digest,
    read_config,
    read_manifest,
    restore_version,
)
from patchgate.patcher.oci.refusal import Action, refuse
from patchgate.patcher.oci.session import Request, Session
from patchgate.patcher.oci.tags import find_next_page, read_tags
from patchgate.patcher.oci.transport import is_success
from patchgate.policy.reference import is_digest

TAG_PAGE_BYTES: Final = 16 * 1024 * 1024
"""One page of tags: 15,000 long ones have 2 MB, Google's map of all manifests a few times as much."""
TAG_LIST_SECONDS: Final = 300
"""All pages of one repository: 100,000 tags at a second for each thousand take 100 s."""
_UPLOAD: Final = re.compile(r"[\w.~=+:@%-]+", re.ASCII)
_NO_HEAD: Final = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
"""A registry, or a proxy before it, that knows no HEAD is asked by GET."""
_NOT_DELETABLE: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,  # docker-registry 2.8
        HTTPStatus.UNAUTHORIZED,  # credentials that may push only
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
    }
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A repository where it is asked for.

    Attributes:
        host: the registry's or its mirror's.
        path: of the repository.
        action: what is done there.
    """

    host: str
    path: str
    action: Action

    @property
    def scope(self) -> str:
        """What a token must allow (https://distribution.github.io/distribution/spec/auth/scope/)."""
        actions = {Action.PULL: "pull", Action.PUSH: "pull,push", Action.DELETE: "delete"}[self.action]
        return f"repository:{self.path}:{actions}"

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


class OciRegistry:
    """Every registry; safe for threads."""

    def __init__(self, session: Session, hosts: Hosts, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds that pass, from whatever beginning."""
        self._session = session
        self._hosts = hosts
        self._clock = clock

    def find_digest(self, repository: str, reference: str) -> str | None:
        """Find the digest of a tag or digest with one HEAD; None where there is none."""
        place = self._locate(repository, Action.PULL)
        answer = self._ask_manifest("HEAD", place, reference)
        if answer.status in _NO_HEAD:
            answer = self._ask_manifest("GET", place, reference)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        self._expect_success(place, answer)
        digest = answer.headers.get("Docker-Content-Digest", "")
        if is_digest(reference) and digest in ("", reference):
            return reference
        if is_digest(reference):
            raise RegistryError(f"{place} names {reference} by another digest: the registry is broken")
        return digest if is_digest(digest) else self._digest_of_body(place, reference)

    def describe(self, repository: str, digest: str) -> Manifest:
        """Describe what lies under a digest; what comes is checked against the digest."""
        place = self._locate(repository, Action.PULL)
        manifest = read_manifest(self._get_manifest(place, digest).body, f"{place}@{digest}")
        if manifest.manifests is not None:
            return Manifest(digest, True, manifest.list_platforms(), manifest.list_unnamed())  # noqa: FBT003
        config = self._get_config(place, manifest)
        if not config.name:
            raise RegistryError(f"{place}@{digest} does not say which platform it is for")
        return Manifest(digest, is_index=False, platforms={config.name: digest})

    def list_tags(self, repository: str) -> Iterator[str]:
        """List the tags, page by page: the next page is asked for when the tags of the one before are used up."""
        place = self._locate(repository, Action.PULL)
        until = self._clock() + TAG_LIST_SECONDS
        path: str | None = f"/v2/{place.path}/tags/list?n={TAGS_OF_A_PAGE}"
        asked: set[str] = set()
        while path is not None:
            if path in asked:
                raise RegistryError(f"{place} lists its pages of tags in a circle: list the tags that you need")
            if len(asked) == TAG_PAGES:
                raise RegistryError(f"{place} has more than {TAG_PAGES} pages of tags: list the tags that you need")
            asked.add(path)
            if self._session.is_stopped:
                raise RegistryError(f"stopped before {place} had listed its tags")
            if self._clock() > until:
                raise RegistryError(
                    f"{place} takes longer than {TAG_LIST_SECONDS} s to list its tags: list the tags that you need"
                )
            answer = self._session.ask(Request("GET", place.host, path, place.scope, most_bytes=TAG_PAGE_BYTES))
            self._expect_success(place, answer)
            yield from read_tags(answer.body, str(place))
            path = find_next_page(path, ", ".join(answer.headers.getlist("Link")))

    def check_push(self, repository: str) -> None:
        """Check the right to push, with an upload that is begun and given up.

        Not where tags are looked for on a mirror: it may not know a tag that is there, which would be overwritten.
        """
        place = self._locate(repository, Action.PUSH)
        if (mirror := self._hosts.find_pull_repository(repository)) != repository:
            raise RegistryError(
                f"{place} is pulled from {mirror}, and cannot be pushed to so: take away its --registry-mirror"
            )
        headers = {"Content-Length": "0"}
        answer = self._session.ask(
            Request("POST", place.host, f"/v2/{place.path}/blobs/uploads/", place.scope, headers, b"")
        )
        self._expect_success(place, answer)
        if path := _find_upload(place, answer.headers.get("Location", "")):
            self._session.ask(Request("DELETE", place.host, path, place.scope))

    def copy(self, repository: str, digest: str, target: str, limit_seconds: float) -> None:
        """Copy a manifest of one platform to another repository, with its blobs; one that is there stays."""
        if self.find_digest(target, digest):
            return
        source, until = self._locate(repository, Action.PULL), self._clock() + limit_seconds
        place = self._locate(target, Action.PUSH)

        def check() -> None:
            if self._session.is_stopped:
                raise RegistryError(f"stopped before {source}@{digest} was copied to {place}")
            if self._clock() > until:
                raise RegistryError(f"{source}@{digest} was not copied to {place} within {limit_seconds:.0f} s")

        def expect(asked: Place, answer: Answer) -> None:
            self._expect_success(place if asked is place else source, answer)

        copying = Copying(source, place, self._session.ask, expect, lambda where: _find_upload(place, where), check)
        copy_manifest(copying, digest, self._get_manifest(source, digest))

    def restore_version(self, repository: str, digest: str, source_repository: str, source_digest: str) -> str:
        """Push an index again with the version annotation of its source, by its digest alone; give that digest."""
        body = self._get_manifest(self._locate(repository, Action.PULL), digest).body
        source = self._get_manifest(self._locate(source_repository, Action.PULL), source_digest).body
        restored = restore_version(body, source)
        if restored is None:
            return digest
        place, again = self._locate(repository, Action.PUSH), f"sha256:{hashlib.sha256(restored).hexdigest()}"
        headers = {"Content-Type": read_manifest(body, f"{place}@{digest}").media_type or INDEX_TYPES[0]}
        path = f"/v2/{place.path}/manifests/{again}"
        self._expect_success(place, self._session.ask(Request("PUT", place.host, path, place.scope, headers, restored)))
        return again

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Give the very manifest of the digest another tag."""
        place = self._locate(repository, Action.PUSH)
        manifest = self._get_manifest(place, digest)
        kind = read_manifest(manifest.body, f"{place}@{digest}").media_type or manifest.headers.get("Content-Type", "")
        path = f"/v2/{place.path}/manifests/{quote(tag)}"
        headers = {"Content-Type": kind}
        answer = self._session.ask(Request("PUT", place.host, path, place.scope, headers, manifest.body))
        self._expect_success(place, answer)
        if answer.headers.get("Docker-Content-Digest", digest) != digest:
            raise RegistryError(f"{place}:{tag} got another digest than {digest}: the registry is broken")

    def delete_tag(self, repository: str, tag: str) -> bool:
        """Delete a tag alone, never what it points at; False where the registry does not let tags be deleted."""
        if is_digest(tag):
            return False
        place = self._locate(repository, Action.DELETE)
        answer = self._session.ask(
            Request("DELETE", place.host, f"/v2/{place.path}/manifests/{quote(tag)}", place.scope)
        )
        if answer.status in _NOT_DELETABLE:
            return False
        self._expect_success(place, answer)
        return True

    def _locate(self, repository: str, action: Action) -> _Place:
        asked = self._hosts.find_pull_repository(repository) if action is Action.PULL else repository
        host, _, path = asked.partition("/")
        return _Place(host, path, action)

    def _ask_manifest(self, method: str, place: _Place, reference: str) -> Answer:
        path = f"/v2/{place.path}/manifests/{quote(reference, safe=':')}"
        headers = {"Accept": ACCEPT}
        return self._session.ask(
            Request(method, place.host, path, place.scope, headers, most_bytes=MANIFEST_ANSWER_BYTES)
        )

    def _get_manifest(self, place: _Place, digest: str) -> Answer:
        answer = self._ask_manifest("GET", place, digest)
        self._expect_success(place, answer)
        check_digest(answer.body, digest, str(place))
        return answer

    def _digest_of_body(self, place: _Place, reference: str) -> str:
        """Work the digest out where a HEAD does not say it (the specification lets a registry leave it out)."""
        answer = self._ask_manifest("GET", place, reference)
        self._expect_success(place, answer)
        read_manifest(answer.body, f"{place}:{reference}")
        return f"sha256:{hashlib.sha256(answer.body).hexdigest()}"

    def _get_config(self, place: _Place, manifest: ManifestSchema) -> ConfigSchema:
        digest = manifest.config.digest if manifest.config else ""
        if not is_digest(digest):
            raise RegistryError(f"{place} has a manifest whose configuration has no digest")
        path = f"/v2/{place.path}/blobs/{digest}"
        answer = self._session.ask(Request("GET", place.host, path, place.scope, most_bytes=CONFIG_BLOB_BYTES))
        self._expect_success(place, answer)
        check_digest(answer.body, digest, str(place))
        return read_config(answer.body, str(place))

    def _expect_success(self, place: _Place, answer: Answer) -> None:
        if not is_success(answer):
            has_login = self._session.has_login(place.host, place.path)
            secrets = self._session.secrets
            raise refuse(place.action, place.host, place.path, answer, has_login=has_login, secrets=secrets)


def _find_upload(place: _Place, location: str) -> str:
    """Find an upload's path on the host that was asked; empty where the location names none.

    A registry behind a proxy may name itself by another host or path, and nothing but an upload may be named.
    """
    parts = urlsplit(location)
    _, found, upload = parts.path.rpartition("/blobs/uploads/")
    if not found or not _UPLOAD.fullmatch(upload):
        return ""
    return f"/v2/{place.path}/blobs/uploads/{upload}" + (f"?{parts.query}" if parts.query else "")
