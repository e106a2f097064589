"""YAML documents (JSON is YAML too): read once, here, for ConfigMaps and manifests alike."""

from collections.abc import Iterator
from typing import Final

import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import InvalidManifestError

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load_objects(text: str) -> Iterator[dict[str, object]]:
    """Give every object of the documents, those inside a List too.

    Raises:
        InvalidManifestError: a document is no YAML, or no object of the Kubernetes API.
    """
    try:
        documents = [document for document in yaml.load_all(text, Loader=LOADER) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2026-13-45
        raise InvalidManifestError(f"not YAML: {_say_in_a_line(error)}") from error
    for document in documents:
        yield from _unfold(document)


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


def _unfold(document: object) -> Iterator[dict[str, object]]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InvalidManifestError("a document without `kind` is no object of the Kubernetes API")
    if not document["kind"].endswith("List") or not isinstance(document.get("items"), list):
        yield document
        return
    for item in document["items"]:
        yield from _unfold(item)


def _say_in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())
