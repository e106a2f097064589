"""Where a registry is asked: its API's host, plain HTTP or TLS, and from which mirror its images are pulled. Pure."""

from dataclasses import dataclass, field
from typing import Final

from patchgate.policy.mirror import Mirrors
from patchgate.policy.reference import DOCKER_HUB

_DOCKER_HUB_API: Final = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Hosts:
    """How registries are reached, by their normalised names.

    Attributes:
        plain_http: those without TLS, with their port.
        mirrors: `REGISTRY[/PREFIX]` → another place that its images are pulled from, in one step. A repository that one
            pushes to has none: what a mirror holds of it may be old.
    """

    plain_http: frozenset[str] = frozenset()
    mirrors: Mirrors = field(default_factory=Mirrors)

    def find_pull_repository(self, repository: str) -> str:
        """Find the repository that images of a repository (normalised) are pulled from."""
        return self.mirrors.rename(repository)

    def name_for_pull(self, image: str) -> str:
        """Name an image (`REGISTRY/PATH:TAG@DIGEST`, normalised) as it is pulled."""
        repository = find_repository(image)
        return self.find_pull_repository(repository) + image.removeprefix(repository)

    def is_plain(self, host: str) -> bool:
        """Tell whether a host speaks HTTP without TLS."""
        return host in self.plain_http

    def make_url(self, host: str, path: str) -> str:
        """Make the URL of a path of a host's API."""
        return f"{'http' if self.is_plain(host) else 'https'}://{find_api_host(host)}{path}"


def find_api_host(host: str) -> str:
    """Find the host that answers for a registry: Docker Hub's has another name."""
    return _DOCKER_HUB_API if host == DOCKER_HUB else host


def find_repository(image: str) -> str:
    """Find the repository of an image (normalised)."""
    registry, slash, rest = image.partition("@")[0].partition("/")
    return registry + slash + rest.partition(":")[0]
