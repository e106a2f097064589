"""Workloads: every place where an object hides an image.

The Structs are the part of the Kubernetes API that matters here (k8s.io/api: core/v1 PodSpec, apps/v1, batch/v1), with
the API's own field names; whoever parses an object may leave out all else. Decides nothing about an image.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from msgspec import Struct

from patchgate.limits import IMAGES_OF_A_REQUEST

_T = TypeVar("_T")
TEMPLATE_KINDS: Final = frozenset(
    {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController"}
)
_KINDS: Final = TEMPLATE_KINDS | {"Pod"}
_NODE_USERS: Final = "system:node:"
"""How the names of kubelets' users begin (kubernetes.io/docs/reference/access-authn-authz/node)."""
_GROUPS: Final = frozenset({"", "apps", "batch", "extensions"})


class Operation(StrEnum):
    """What is done to the object (k8s.io/api/admission/v1, Operation)."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


ADD_NOTHING: Final = frozenset({Operation.DELETE, Operation.CONNECT})


class Container(Struct, frozen=True, gc=False):
    """A container, of whichever of the three kinds."""

    image: str | None = None
    imagePullPolicy: str | None = None


class ImageVolume(Struct, frozen=True, gc=False):
    """The source of an image volume (KEP-4639)."""

    reference: str | None = None
    pullPolicy: str | None = None


class Volume(Struct, frozen=True, gc=False):
    """A volume; most have no image."""

    image: ImageVolume | None = None


class PodSpec(Struct, frozen=True, gc=False):
    """The places of a Pod that name an image."""

    containers: Sequence[Container] | None = None
    initContainers: Sequence[Container] | None = None
    ephemeralContainers: Sequence[Container] | None = None
    volumes: Sequence[Volume] | None = None


class PodTemplate(Struct, frozen=True, gc=False):
    """A Pod template."""

    spec: PodSpec | None = None


class JobSpec(Struct, frozen=True, gc=False):
    """The spec of a Job."""

    template: PodTemplate | None = None


class JobTemplate(Struct, frozen=True, gc=False):
    """A CronJob's template of Jobs."""

    spec: JobSpec | None = None


class Spec(PodSpec, frozen=True, gc=False):
    """The spec of any kind that is judged."""

    template: PodTemplate | None = None
    jobTemplate: JobTemplate | None = None


class Annotations(Struct, frozen=True, gc=False, rename={"mirror": "kubernetes.io/config.mirror"}):
    """The one annotation that a verdict looks at.

    Attributes:
        mirror: set by the kubelet on a mirror Pod (k8s.io/api/core/v1, MirrorPodAnnotationKey).
    """

    mirror: str | None = None


class Metadata(Struct, frozen=True, gc=False):
    """The metadata of an object that a verdict looks at."""

    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    deletionTimestamp: str | None = None
    annotations: Annotations | None = None


class Object(Struct, frozen=True, gc=False):
    """An object of the Kubernetes API."""

    apiVersion: str = ""
    kind: str = ""
    metadata: Metadata | None = None
    spec: Spec | None = None

    @property
    def is_template(self) -> bool:
        """Whether it makes Pods rather than being one."""
        return self.kind in TEMPLATE_KINDS


class PullPolicy(StrEnum):
    """When a node asks the registry (core/v1, PullPolicy)."""

    ALWAYS = "Always"
    IF_NOT_PRESENT = "IfNotPresent"
    NEVER = "Never"


ASSUMED_PULL_POLICY: Final = PullPolicy.IF_NOT_PRESENT
"""Of an image that somebody asks about by its name alone: what most Pods have, and the stricter one."""


class Image(Struct, frozen=True, gc=False):
    """An image as a workload asks for it.

    Attributes:
        text: the image string; empty where the container names none.
        pull_policy: Always, IfNotPresent or Never; None where nobody knows.
        is_placeholder: whether a Pod template has it until something else writes the image into it or its Pods.
    """

    text: str
    pull_policy: str | None = None
    is_placeholder: bool = False


def is_mirror_pod(obj: Object | None, username: str | None) -> bool:
    """Tell whether a kubelet shows a static Pod of its node, which runs already: to refuse it would only hide it.

    The annotation alone proves nothing, as anyone may write it; a node's user may make no other Pods (NodeRestriction).
    """
    annotations = obj.metadata.annotations if obj and obj.kind == "Pod" and obj.metadata else None
    return bool(annotations and annotations.mirror is not None and username and username.startswith(_NODE_USERS))


def is_judged(api_version: str, kind: str) -> bool:
    """Tell whether objects of the kind have images that are judged: Pods and the seven kinds that make them."""
    group = api_version.rpartition("/")[0]
    return kind in _KINDS and group in _GROUPS


def list_asked_images(operation: Operation, obj: Object | None, subresource: str | None) -> tuple[Image, ...]:
    """List the images that the object of a request asks for, each once, in its order.

    None are asked for by a deletion, by an update of an object that is being deleted (its finalizers must be able to
    go), or by `status`. Any other subresource is judged if it carries a workload.
    """
    if obj is None or operation in ADD_NOTHING or subresource == "status":
        return ()
    if operation is Operation.UPDATE and obj.metadata and obj.metadata.deletionTimestamp:
        return ()
    return tuple(dict.fromkeys(list_images(obj)))


def list_images(obj: Object) -> list[Image]:
    """List every image of the object; one that repeats may be left out."""
    pod = _find_pod(obj)
    if pod is None:
        return []
    make = _make_template_image if obj.is_template else _make_image
    containers = (*(pod.initContainers or ()), *(pod.containers or ()), *(pod.ephemeralContainers or ()))
    images = [make(each.image, each.imagePullPolicy) for each in _thin_out(containers)]
    volumes = [each.image for each in pod.volumes if each.image] if pod.volumes else ()
    images += [make(each.reference, each.pullPolicy) for each in _thin_out(volumes)]
    return images


def _thin_out(each: Collection[_T]) -> Collection[_T]:
    """Leave out what repeats, where it is more than anybody means: of `{}` a body of 7 MiB has two million."""
    return each if len(each) <= IMAGES_OF_A_REQUEST else dict.fromkeys(each).keys()


def _find_pod(obj: Object) -> PodSpec | None:
    """Find the Pod that the object is, or makes; None where it is of another kind or has none."""
    if obj.spec is None or not is_judged(obj.apiVersion, obj.kind):
        return None
    if obj.kind == "Pod":
        return obj.spec
    jobs = obj.spec.jobTemplate.spec if obj.spec.jobTemplate else None
    template = (jobs.template if jobs else None) if obj.kind == "CronJob" else obj.spec.template
    return template.spec if template else None


def _make_image(text: str | None, pull_policy: str | None) -> Image:
    """Make an image, with the pull policy that kube-apiserver would give it (core/v1, SetDefaults_Container)."""
    image = text or ""
    return Image(image, pull_policy or _default_pull_policy(image))


def _make_template_image(text: str | None, pull_policy: str | None) -> Image:
    """Make an image of a Pod template, where some name none yet: their Pods do, and are judged."""
    image = _make_image(text, pull_policy)
    return Image(image.text, image.pull_policy, is_placeholder=True) if is_placeholder(image.text) else image


def is_placeholder(text: str) -> bool:
    """Tell whether the text is what tools write into a Pod template that has no image yet.

    Blanks: OpenShift's image triggers (kube-apiserver refuses them in a Pod, and takes them in a template). `auto`:
    Istio's gateways, whose Pods its injector completes.
    """
    return text == "auto" or (bool(text) and not text.strip())


def _default_pull_policy(image: str) -> str:
    name, _, _ = image.partition("@")
    last_part = name.rpartition("/")[2]
    is_latest = last_part.endswith(":latest") or (":" not in last_part and "@" not in image)
    return "Always" if is_latest else "IfNotPresent"
