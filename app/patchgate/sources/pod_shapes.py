"""Finds the images of objects whose kind the gate is not asked about, by their shape.

A controller makes Pods of them (an Argo Rollout, a Knative Service, a Prometheus, a Tekton Task, your own CronTab), and
the gate judges those Pods. This finds the images before the object is applied. Pure, and a guess: a field that looks
like an image and holds no reference (a variable, a template) is counted, never judged.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from patchgate.errors import InvalidReferenceError
from patchgate.policy.reference import Reference
from patchgate.policy.workload import Container, is_judged

_BUILT_IN_GROUPS: Final = frozenset(
    {"", "apps", "autoscaling", "batch", "events.k8s.io", "extensions", "policy"}
    | {f"{name}.k8s.io" for name in ("admissionregistration", "apiextensions", "apiregistration", "authentication")}
    | {f"{name}.k8s.io" for name in ("authorization", "certificates", "coordination", "discovery", "networking")}
    | {f"{name}.k8s.io" for name in ("node", "resource", "scheduling", "storage", "storagemigration")}
    | {"flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "rbac.authorization.k8s.io", "metrics.k8s.io"}
)
"""API groups of Kubernetes itself: all of their kinds that make Pods are known (k8s.io/api v0.37)."""
_PODLESS: Final = """
APIService Binding CSIDriver CSINode CSIStorageCapacity CertificateSigningRequest ClusterRole ClusterRoleBinding
ClusterTrustBundle ComponentStatus ConfigMap ControllerRevision CustomResourceDefinition DeviceClass DeviceTaintRule
EndpointSlice Endpoints Event Eviction FlowSchema HorizontalPodAutoscaler IPAddress Ingress IngressClass Lease
LeaseCandidate LimitRange LocalSubjectAccessReview MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
MutatingWebhookConfiguration Namespace NetworkPolicy Node NodeMetrics PersistentVolume PersistentVolumeClaim
PodCertificateRequest PodDisruptionBudget PodMetrics PodSecurityPolicy PriorityClass PriorityLevelConfiguration
ResourceClaim ResourceClaimTemplate ResourceQuota ResourceSlice Role RoleBinding RuntimeClass Scale Secret
SelfSubjectAccessReview SelfSubjectReview SelfSubjectRulesReview Service ServiceAccount ServiceCIDR Status
StorageClass StorageVersion StorageVersionMigration SubjectAccessReview TokenRequest TokenReview
ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration VolumeAttachment
VolumeAttributesClass
"""
_PODLESS_KINDS: Final = frozenset(_PODLESS.split())
"""Their kinds that make no Pods, and are not searched: what stands in a CustomResourceDefinition is no image."""
_NAMING_GROUPS: Final = frozenset(
    {"gatekeeper.sh", "image.openshift.io", "image.toolkit.fluxcd.io", "kustomize.config.k8s.io", "kyverno.io"}
    | {"sigstore.dev"}
)
"""Groups, with all below them, whose kinds name images for another purpose: policies, repositories."""
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
    """Tell whether a kind that the gate is not asked about may make Pods, as far as is known: unknown ones may."""
    group = api_version.rpartition("/")[0]
    if group in _BUILT_IN_GROUPS:
        return kind not in _PODLESS_KINDS
    labels = group.split(".")
    return not any(".".join(labels[place:]) in _NAMING_GROUPS for place in range(len(labels)))


def is_unknown_kind(api_version: str, kind: str) -> bool:
    """Tell whether Kubernetes itself, as far as is known here, has no such kind in a group of its own."""
    is_ours = api_version.rpartition("/")[0] in _BUILT_IN_GROUPS
    return is_ours and kind not in _PODLESS_KINDS and kind != "PodTemplate" and not is_judged(api_version, kind)


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
            elif isinstance(key, str) and _IMAGE_KEY.fullmatch(key):
                yield _read_field(node, value)
            elif key == "images":
                yield from _read_fields(value)
        waiting += [value for key, value in reversed(node.items()) if key not in _PASSED_OVER]


def _read_fields(value: object) -> Iterator[tuple[str, str | None]]:
    """Read several fields for an image, in a list or under names of their own."""
    each = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for field in each:
        if not isinstance(field, dict) or "image" not in field:  # which is found within it
            yield _read_field({}, field)


def _read_field(node: Mapping[str, object], value: object) -> tuple[str, str | None]:
    """Read a field for an image: a text, an image volume's source, or the parts that Helm's values have."""
    policy = value.get("pullPolicy") if isinstance(value, dict) else node.get("imagePullPolicy")
    policy = policy if isinstance(policy, str) else None
    read: Any = value
    match read:
        case str() as text:
            return text, policy
        case {"reference": str() as text}:
            return text, policy
        case {"repository": _}:
            return _join_parts(read), policy
        case _:
            return "", None


def _join_parts(value: Mapping[Any, Any]) -> str:
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
