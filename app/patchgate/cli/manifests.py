"""Reads manifests, as kubectl takes them or prints them, into the workloads that are judged; the rest it names.

What a controller made is folded under what people wrote, as `discover --kubernetes` does: `kubectl get all -o yaml` is
judged as the cluster that it shows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from patchgate.cli.loaded_manifests import Fault, LoadedManifests, PassedOver, Workload
from patchgate.cli.manifest_files import ManifestText, read_files
from patchgate.cli.namespaces import MODE_LABEL
from patchgate.configmaps.documents import load_good_documents, unfold_good
from patchgate.errors import InvalidManifestError, NoObjectError
from patchgate.policy.verdict import show
from patchgate.policy.workload import Metadata, Object, Spec, is_judged
from patchgate.server.objects import read_object
from patchgate.sources.owners import Owner, Owners, find_end, find_owner, name_workload, read_text
from patchgate.sources.pod_shapes import find_shape, is_unknown_kind, may_make_pods

_TEMPLATE_HINT: Final = "; a template has to be rendered first, helm template CHART | patchgate check -f -"
_NOTHING_FOUND: Final = "no image found in it; if a controller makes Pods of it, check those"
_NO_REFERENCE: Final = "with a field for an image that holds no image reference, such as a variable"
_UNKNOWN_KIND: Final = "no kind that is known in this group of Kubernetes; kinds are case-sensitive"
_RENDERED: Final = "a controller renders more than it shows: check what that renders"


def read_manifests(paths: Iterable[str], namespace: str) -> LoadedManifests:
    """Read every object of the manifests, in order; those without a namespace are in the given one."""
    manifests = LoadedManifests()
    objects: list[tuple[str, dict[str, Any]]] = []
    for each in read_files(paths):
        match each:
            case Fault():
                manifests.faults.append(each)
            case PassedOver():
                manifests.passed_over.append(each)
            case ManifestText():
                objects += ((each.path, value) for value in _read_objects(each, manifests))
    _take_objects(objects, namespace, manifests)
    manifests.workloads.sort(key=lambda workload: workload.is_made)
    return manifests


def _read_objects(manifest: ManifestText, manifests: LoadedManifests) -> Iterator[dict[str, object]]:
    """Read the objects of one text, and note the rest. Only a text that is named must hold some."""
    is_empty = True
    for document in load_good_documents(manifest.text):
        is_empty = False
        for value in [document] if isinstance(document, InvalidManifestError) else unfold_good(document):
            if not isinstance(value, InvalidManifestError):
                yield value
            elif isinstance(value, NoObjectError) and not manifest.is_named:
                manifests.passed_over.append(PassedOver(manifest.path, 1, str(value)))
            else:
                hint = _TEMPLATE_HINT if "{{" in manifest.text else ""
                manifests.faults.append(Fault(manifest.path, f"{value}{hint}"))
    if is_empty and manifest.is_named:  # what a failed `helm template |` sends
        manifests.faults.append(Fault(manifest.path, "empty, so no manifest"))
    elif is_empty:
        manifests.passed_over.append(PassedOver(manifest.path, 1, "empty"))


def _take_objects(objects: list[tuple[str, dict[str, Any]]], namespace: str, manifests: LoadedManifests) -> None:
    """Take the workloads among the objects; count the others by kind."""
    owners = Owners()
    for _, value in objects:
        owners.add(value["kind"], value)
        if (value.get("apiVersion"), value["kind"]) == ("v1", "Namespace"):
            manifests.mode_labels[read_text(value, "name")] = _read_mode_label(value)
    counts: Counter[tuple[str, str]] = Counter()
    for path, value in objects:
        if reason := _find_end(value):
            counts[value["kind"], reason] += 1
            continue
        try:
            obj = _read_workload(value, counts)
        except InvalidManifestError as error:
            manifests.faults.append(Fault(path, str(error)))
            continue
        if obj:
            manifests.workloads.append(_make_workload(value, obj, owners.find_first(value), namespace))
    manifests.passed_over += (PassedOver(what, count, reason) for (what, reason), count in counts.items())


def _read_mode_label(value: Mapping[str, Any]) -> str:
    metadata = value.get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    label = labels.get(MODE_LABEL) if isinstance(labels, dict) else None
    return label if isinstance(label, str) else ""


def _find_end(value: Mapping[str, Any]) -> str | None:
    """Find why an object that a cluster recorded makes no Pods any more; one that people wrote has yet to make some."""
    is_recorded = bool(find_owner(value) or read_text(value, "uid") or value.get("status"))
    return find_end(value["kind"], value) if is_recorded else None


def _read_workload(value: dict[str, Any], counts: Counter[tuple[str, str]]) -> Object | None:
    """Read what is judged of an object; None where there is nothing.

    Raises:
        InvalidManifestError: it should have images, and cannot be read.
    """
    obj = read_object(value)
    if is_judged(obj.apiVersion, obj.kind):
        return obj
    what = f"{obj.kind} ({obj.apiVersion})"
    if what.startswith("Kustomization (kustomize.config.k8s.io/"):
        raise InvalidManifestError("a kustomization: render it, kubectl kustomize DIR | patchgate check -f -")
    if not may_make_pods(obj.apiVersion, obj.kind):
        return None
    shape, is_unknown = find_shape(value), is_unknown_kind(obj.apiVersion, obj.kind)
    reasons = {
        _UNKNOWN_KIND: is_unknown,
        _NOTHING_FOUND: not (shape.containers or shape.unread or shape.is_rendered or is_unknown),
        _NO_REFERENCE: shape.unread > 0,
        _RENDERED: shape.is_rendered,
    }
    counts.update((show(what), reason) for reason, applies in reasons.items() if applies)
    return Object("v1", "Pod", Metadata(), Spec(containers=shape.containers)) if shape.containers else None


def _make_workload(value: Mapping[str, Any], obj: Object, maker: Owner | None, namespace: str) -> Workload:
    own = read_text(value, "namespace") or namespace
    kind, name = maker or (value["kind"], read_text(value, "name") or read_text(value, "generateName") or "?")
    return Workload(name_workload(kind, own, name), own, obj, is_made=maker is not None)
