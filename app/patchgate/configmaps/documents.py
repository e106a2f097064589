"""YAML documents (JSON is YAML too): read once, here, for ConfigMaps and manifests alike."""

from collections.abc import Iterator
from typing import Final

import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import InvalidManifestError
from patchgate.limits import YAML_DEPTH

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_documents(text: str) -> list[object]:
    """Load every document that is not empty. An alias is one and the same value, never a copy.

    Raises:
        InvalidManifestError: the text is no YAML, or nested deeper than YAML_DEPTH: the loader in C has no recursion
            limit of its own, and would take the process with it.
    """
    try:
        _check_depth(text)
        return [document for document in yaml.load_all(text, Loader=_LOADER) if document is not None]
    except (
        yaml.YAMLError,
        ValueError,
        LookupError,
        AttributeError,
    ) as error:  # the last three: `!!int ""` and its like
        raise InvalidManifestError(f"not YAML: {' '.join(str(error).split())}") from error


def unfold(document: object, depth: int = YAML_DEPTH) -> Iterator[dict[str, object]]:
    """Give the object that a document is, or every object of the List that it is.

    Raises:
        InvalidManifestError: it is no object of the Kubernetes API; or Lists hold Lists, deeper than `depth`.
    """
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InvalidManifestError("a document without `kind` is no object of the Kubernetes API")
    if not document["kind"].endswith("List") or not isinstance(document.get("items"), list):
        yield document
        return
    if not depth:
        raise InvalidManifestError("a List that holds Lists without end")
    for item in document["items"]:
        yield from unfold(item, depth - 1)


def read_configmap(obj: dict[str, object]) -> tuple[ConfigMap, list[tuple[str, str]]]:
    """Read a ConfigMap; what of its data is no text comes back as (key, reason).

    Raises:
        InvalidManifestError: the object is no ConfigMap, or has no name.
    """
    if obj.get("kind") != "ConfigMap" or obj.get("apiVersion") != "v1":
        raise InvalidManifestError(f"a {obj.get('kind')} ({obj.get('apiVersion')}) is no ConfigMap (v1)")
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str):
        raise InvalidManifestError("a ConfigMap without metadata.name")
    data = obj.get("data") or {}
    if not isinstance(data, dict):
        raise InvalidManifestError(f"{name}: data must be a mapping of texts")
    texts = {str(key): value for key, value in data.items() if isinstance(value, str)}
    faults = [(str(key), "must be a text: put it in quotes") for key in data if str(key) not in texts]
    labels = metadata.get("labels")
    texts_of_labels = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
    return ConfigMap(name, texts_of_labels, texts), faults


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > YAML_DEPTH:
            raise InvalidManifestError(f"nested deeper than {YAML_DEPTH} levels")
