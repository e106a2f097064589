"""A registry that works, in memory: real manifests under their real digests, tags that can move, a log of requests.

What an image holds is what is installed in it, package → version (a number), inside its manifest.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from patchgate.errors import RegistryError
from patchgate.patcher.image import Manifest

AMD64, ARM64 = "linux/amd64", "linux/arm64"
DEBIAN = ("debian", "12")


def sign(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def write_image(packages: Mapping[str, int], platform: str = AMD64, os: tuple[str, str] = DEBIAN) -> bytes:
    """The manifest of one platform."""
    held = {"platform": platform, "os": list(os), "packages": dict(packages)}
    return json.dumps(held, sort_keys=True).encode()


def write_index(digests: Mapping[str, str], note: str = "") -> bytes:
    """The index of platform → digest. note: makes it another one, as a push at another time would."""
    return json.dumps({"manifests": dict(digests), "note": note}, sort_keys=True).encode()


@dataclass
class RegistrySimulator:
    """Every registry there is.

    Attributes:
        manifests: (repository, digest) → bytes.
        tags: `REPO:TAG` → digest.
        requests: what was asked, in order: verb, repository, tag or digest.
        failures: (verb, repository) → what it is refused with.
        before: called before a request is answered, for what comes between two.
        keeps_tags: whether it refuses to delete a tag.
    """

    manifests: dict[tuple[str, str], bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)
    before: Callable[[str, str, str], None] = lambda *_: None
    keeps_tags: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    def push(self, image: str, packages: Mapping[str, int], **described: Any) -> str:  # noqa: ANN401 -- of write_image
        """Push an image of one platform as `REPO:TAG`; gives its digest."""
        return self.put(image, write_image(packages, **described))

    def push_index(self, image: str, platforms: Mapping[str, Mapping[str, int]]) -> str:
        """Push an index of platform → packages as `REPO:TAG`; gives its digest."""
        repository = image.rpartition(":")[0]
        digests = {name: self.put_child(repository, write_image(held, name)) for name, held in platforms.items()}
        return self.put(image, write_index(digests))

    def put(self, image: str, content: bytes) -> str:
        repository = image.rpartition(":")[0]
        self.tags[image] = self.put_child(repository, content)
        return self.tags[image]

    def put_child(self, repository: str, content: bytes) -> str:
        self.manifests[repository, sign(content)] = content
        return sign(content)

    def read(self, repository: str, digest: str) -> dict[str, Any]:
        held: dict[str, Any] = json.loads(self.manifests[repository, digest])
        return held

    def count(self, verb: str, repository: str | None = None) -> int:
        """How many such requests there were."""
        return sum(asked == verb and repository in {None, name} for asked, name, _ in self.requests)

    def _hear(self, verb: str, repository: str, reference: str) -> None:
        self.before(verb, repository, reference)
        with self.lock:
            self.requests.append((verb, repository, reference))
        if why := self.failures.get((verb, repository)):
            raise RegistryError(why)

    # --- as the patcher asks ---

    def find_digest(self, repository: str, reference: str) -> str | None:
        self._hear("HEAD", repository, reference)
        if reference.startswith("sha256:"):
            return reference if (repository, reference) in self.manifests else None
        return self.tags.get(f"{repository}:{reference}")

    def describe(self, repository: str, digest: str) -> Manifest:
        self._hear("GET", repository, digest)
        if (repository, digest) not in self.manifests:
            raise RegistryError(f"{repository}@{digest} is not there any more")
        held = self.read(repository, digest)
        if "manifests" in held:
            return Manifest(digest, is_index=True, platforms=held["manifests"])
        return Manifest(digest, is_index=False, platforms={held["platform"]: digest})

    def list_tags(self, repository: str) -> Iterator[str]:
        self._hear("LIST", repository, "")
        tags = sorted(image.rpartition(":")[2] for image in self.tags if image.rpartition(":")[0] == repository)
        return iter(tags)

    def check_push(self, repository: str) -> None:
        self._hear("CHECK", repository, "")

    def copy(self, repository: str, digest: str, target: str, limit_seconds: float) -> None:
        assert limit_seconds > 0
        self._hear("COPY", target, digest)
        self.manifests[target, digest] = self.manifests[repository, digest]

    def restore_version(self, repository: str, digest: str, source_repository: str, source_digest: str) -> str:
        self._hear("VERSION", repository, digest)
        assert (source_repository, source_digest) in self.manifests
        return digest

    def tag(self, repository: str, digest: str, tag: str) -> None:
        self._hear("TAG", repository, tag)
        if (repository, digest) not in self.manifests:
            raise RegistryError(f"{repository}@{digest} is not there")
        self.tags[f"{repository}:{tag}"] = digest

    def delete_tag(self, repository: str, tag: str) -> bool:
        self._hear("DELETE", repository, tag)
        return not self.keeps_tags and self.tags.pop(f"{repository}:{tag}", None) is not None
