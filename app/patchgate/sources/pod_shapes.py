"""Finds the images of objects whose kind the gate is not asked about, by their shape.

A controller makes Pods of them (an Argo Rollout, a Knative Service, a Prometheus, a Tekton Task, your own CronTab), and
the gate judges those Pods. This finds the images before the object is applied. Pure, and a guess: a field that looks
like an image and holds no reference (a variable, a template) is counted, never judged.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from patchgate.errors import InvalidReferenceError
from patchgate.policy.reference import Reference
from patchgate.policy.workload import Container

_BUILT_IN_GROUPS: Final = frozenset(
    {"", "apps", "autoscaling", "batch", "events.k8s.io", "extensions", "policy"}
    | {f"{name}.k8s.io" for name in ("admissionregistration", "apiextensions", "apiregistration", "authentication")}
    | {f"{name}.k8s.io" for name in ("authorization", "certificates", "coordination", "discovery", "networking")}
    | {f"{name}.k8s.io" for name in ("node", "resource", "scheduling", "storage", "storagemigration")}
    | {"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "rbac.authorization.k8s.io", "metrics.k8s.io"}
)
"""API groups of Kubernetes itself: all of their kinds that make Pods are known (k8s.io/api v0.37)."""
_NAME_ONLY_GROUPS: Final = frozenset({"image.toolkit.fluxcd.io", "image.openshift.io", "kustomize.config.k8s.io"})
_POLICY_GROUPS: Final = (".gatekeeper.sh", "kyverno.io", "sigstore.dev")
_RENDERED: Final = frozenset({"Application", "ApplicationSet", "HelmChart", "HelmRelease", "Kustomization"})
"""Kinds of which a controller renders more than stands in them (Argo CD, Flux, k3s)."""
_IMAGE_KEY: Final = re.compile(r"image|[a-z]\w*Image|(?:image|\w+Image)Name", re.ASCII)
_CONTAINER_LISTS: Final = frozenset({"containers", "initContainers"})
_PASSED_OVER: Final = frozenset({"metadata", "status", "annotations", "labels"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What was found in an object.

    Attributes:
        containers: with their images, each once.
        unread: how many fields for an image hold none that can be judged.
        is_rendered: whether a controller renders more of it.
    """

    containers: tuple[Container, ...]
    unread: int
    is_rendered: bool


def may_make_pods(api_version: str, kind: str) -> bool:
    """Tell whether a kind that the gate is not asked about may make Pods.

    Not those of Kubernetes itself but the PodTemplate, nor those that name images for another purpose.
    """
    group = api_version.rpartition("/")[0]
    if group in _BUILT_IN_GROUPS:
        return (group, kind) == ("", "PodTemplate")
    return group not in _NAME_ONLY_GROUPS and not group.endswith(_POLICY_GROUPS)


def find_shape(obj: Mapping[str, object]) -> Shape:
    """Find what an object has its controller run."""
    found: dict[Container, None] = {}
    unread = 0
    for image, policy in _list_fields(obj):
        if image and _is_reference(image):
            found[Container(image, policy)] = None
        else:
            unread += 1
    return Shape(tuple(found), unread, obj.get("kind") in _RENDERED)


def _list_fields(obj: Mapping[str, object]) -> Iterator[tuple[str, str | None]]:
    """List the text of each field for an image, with its pull policy; empty where there is no such text."""
    waiting: list[object] = [obj]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        if not isinstance(node, dict):
            continue
        for key, value in node.items():
            if key in _CONTAINER_LISTS and isinstance(value, list):
                yield from (("", None) for each in value if isinstance(each, dict) and not each.get("image"))
            if isinstance(key, str) and _IMAGE_KEY.fullmatch(key) and (field := _read_field(node, value)):
                yield field
        waiting += [value for key, value in reversed(node.items()) if key not in _PASSED_OVER]


def _read_field(node: Mapping[str, object], value: object) -> tuple[str, str | None] | None:
    """Read a field for an image: a text, an image volume's source, or the parts that Helm's values have."""
    if isinstance(value, str):
        policy = node.get("imagePullPolicy")
        return value, policy if isinstance(policy, str) else None
    if not isinstance(value, dict):
        return None
    policy = value.get("pullPolicy")
    policy = policy if isinstance(policy, str) else None
    if isinstance(value.get("reference"), str):
        return str(value["reference"]), policy
    return (_join_parts(value), policy) if "repository" in value else None


def _join_parts(value: Mapping[str, object]) -> str:
    """Join registry, repository, tag and digest; empty where the tag is left to a chart."""
    registry, repository, tag, digest = (value.get(key) or "" for key in ("registry", "repository", "tag", "digest"))
    if not all(isinstance(part, str) for part in (registry, repository, tag, digest)) or not (tag or digest):
        return ""
    name = "/".join(filter(None, (str(registry), str(repository))))
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"


def _is_reference(text: str) -> bool:
    try:
        Reference.parse(text)
    except InvalidReferenceError:
        return False
    return True
