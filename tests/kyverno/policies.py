"""Our policies in force: the chart's, rendered with values, applied to the plane, taken away again."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import uuid4

from tests.chart.rendering import Chart, Object
from tests.kyverno.controllers import WAIT_SECONDS
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl, Said
from tests.plane.manifests import pod

BOTH = ("validatingPolicy", "clusterPolicy")
"""The forms that ask the gate at each review."""
NOBODY = "http://127.0.0.1:9"  # discard: nobody listens


@dataclass(frozen=True)
class Policies:
    """Policies that Kyverno enforces.

    Attributes:
        form: `kyverno.form` of the chart.
        namespace: kubectl in a namespace that they match.
        objects: what was applied.
    """

    form: str
    namespace: Kubectl
    objects: tuple[Object, ...]


def render_policies(chart: Chart, form: str, **values: object) -> tuple[Object, ...]:
    """Render the policies of a form. values: more of `kyverno`."""
    rendered = chart.render({"kyverno": {"form": form, **values}})
    return tuple(each for each in rendered.objects if "kyverno.io/" in each["apiVersion"])


@contextlib.contextmanager
def enforce(plane: Plane, chart: Chart, form: str, url: str, **values: object) -> Iterator[Policies]:
    """Have Kyverno enforce the policies of a form until the block ends. values: more of `kyverno`."""
    chosen = {"url": url, "requireApprovedDigest": "none", "failurePolicy": "Fail", **values}
    objects = render_policies(chart, form, **chosen)
    namespace = plane.make_namespace(f"{form.lower()}-{uuid4().hex[:6]}")
    with apply(plane, objects):
        wait_until(lambda: is_enforced(namespace), f"{form} in force", WAIT_SECONDS)
        yield Policies(form, namespace, objects)


@contextlib.contextmanager
def apply(plane: Plane, objects: tuple[Mapping[str, object], ...]) -> Iterator[None]:
    """Have objects in the cluster until the block ends."""
    given = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    plane.kubectl.do("create", "-f", "-", given=given)
    try:
        yield
    finally:
        plane.kubectl.do("delete", "-f", "-", given=given)


def is_enforced(namespace: Kubectl) -> bool:
    """Ask with what no policy of ours admits."""
    said = say(namespace.create(pod("no@@reference"), "--dry-run=server"))
    return "not an image reference" in said or "not an approved digest" in said


def say(said: Said) -> str:
    """What kubectl said of a refusal, in one line: Kyverno folds long ones and doubles quotes as YAML does."""
    return " ".join(said.errors.split()).replace("''", "'")
