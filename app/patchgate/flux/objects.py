"""Flux's objects (image.toolkit.fluxcd.io/v1, Flux 2.7): what is to be followed, and how it gets into Git.

A patched tag is never overwritten, so its digest is read once (`IfNotPresent`). Git gets REPO:TAG@DIGEST, which a gate
that wants digests takes, and which no registry can give another meaning.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from patchgate.flux.naming import name_policy, name_repository
from patchgate.flux.tag_filter import EXTRACT, make_pattern

API_VERSION: Final = "image.toolkit.fluxcd.io/v1"
AUTOMATION: Final = "patchgate"
LABELS: Final = {"app.kubernetes.io/managed-by": "patchgate"}
_COMMIT_MESSAGE: Final = """\
Use patched images

{{ range .Changed.Changes -}}
- {{ .OldValue }} -> {{ .NewValue }}
{{ end -}}
"""

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Followed:
    """A source tag whose patched images Flux follows.

    Attributes:
        repository: where the patched images are, normalised; by `push_to` perhaps not the source's.
        tag: the source tag.
    """

    repository: str
    tag: str

    @property
    def policy(self) -> str:
        """Its ImagePolicy's name."""
        return name_policy(self.repository, self.tag)


@dataclass(frozen=True, slots=True)
class FluxSettings:
    """What the objects have in common.

    Attributes:
        namespace: where they are.
        interval: between two looks at a repository or at Git, in Go's form, such as `10m`.
        git_repository: the GitRepository that is written to.
        branch: of it; empty: the GitRepository's own.
        path: of it that is written to.
        registry_secret: name of the Secret to read registries with; empty: none.
    """

    namespace: str
    interval: str
    git_repository: str
    branch: str
    path: str
    registry_secret: str


def make_objects(followed: Iterable[Followed], settings: FluxSettings) -> Iterator[Manifest]:
    """Make an ImageRepository a repository, an ImagePolicy a source tag, one ImageUpdateAutomation; in that order."""
    tags = sorted(set(followed))
    for repository in dict.fromkeys(each.repository for each in tags):
        yield _make_repository(repository, settings)
    for each in tags:
        yield _make_policy(each, settings)
    yield _make_automation(settings)


def make_marker(followed: Followed, namespace: str) -> str:
    """Make the comment that stands behind an image in Git, for Flux to know what to write there."""
    return f'# {{"$imagepolicy": "{namespace}:{followed.policy}"}}'


def _make_repository(repository: str, settings: FluxSettings) -> Manifest:
    spec: Manifest = {"image": repository, "interval": settings.interval}
    if settings.registry_secret:
        spec["secretRef"] = {"name": settings.registry_secret}
    return _make("ImageRepository", name_repository(repository), settings, spec)


def _make_policy(followed: Followed, settings: FluxSettings) -> Manifest:
    spec = {
        "imageRepositoryRef": {"name": name_repository(followed.repository)},
        "filterTags": {"pattern": make_pattern(followed.tag), "extract": EXTRACT},
        "policy": {"numerical": {"order": "asc"}},
        "digestReflectionPolicy": "IfNotPresent",
    }
    return _make("ImagePolicy", followed.policy, settings, spec)


def _make_automation(settings: FluxSettings) -> Manifest:
    author = {"name": "fluxcdbot", "email": "fluxcdbot@users.noreply.github.com"}  # as Flux's own guide has it
    git: Manifest = {"commit": {"author": author, "messageTemplate": _COMMIT_MESSAGE}}
    if settings.branch:
        git = {"checkout": {"ref": {"branch": settings.branch}}, **git, "push": {"branch": settings.branch}}
    spec = {
        "sourceRef": {"kind": "GitRepository", "name": settings.git_repository},
        "interval": settings.interval,
        "policySelector": {"matchLabels": LABELS},
        "git": git,
        "update": {"strategy": "Setters", "path": settings.path},
    }
    return _make("ImageUpdateAutomation", AUTOMATION, settings, spec)


def _make(kind: str, name: str, settings: FluxSettings, spec: Manifest) -> Manifest:
    metadata = {"name": name, "namespace": settings.namespace, "labels": dict(LABELS)}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
