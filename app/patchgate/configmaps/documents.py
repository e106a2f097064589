"""YAML documents (JSON is YAML too): read once, here, for ConfigMaps and manifests alike; and written."""

import contextlib
import re
from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec
import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.errors import InvalidManifestError
from patchgate.limits import YAML_DEPTH, YAML_NODES


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the one in C where there is one
    """YAML's core schema (YAML 1.2, 10.3): no dates, no base 60, no merge keys; all of them can be made to explode."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]{1,18}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}$"), list("-+0123456789")
)


_read_json: Final = msgspec.json.Decoder().decode
MANIFEST_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
"""How the names of files end that hold YAML or JSON."""
_ANY_WIDTH: Final = 100_000
_NO_TEXT: Final = "must be a text: put it in quotes"


def load_documents(text: str) -> list[object]:
    """Load every document that is not empty. An alias is one and the same value, never a copy.

    JSON is read as such where it is JSON, a tenth of YAML's time: it has no aliases that could make it grow.

    Raises:
        InvalidManifestError: the text is no YAML, or too deep or large: the loader in C has no recursion limit of its
            own, and would take the process with it.
    """
    if text.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):  # the rest is YAML's to explain, or to read
            return [_read_json(text)]
    try:
        _check_size(text)
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except (
        yaml.YAMLError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:  # `!!int ""`, `!!float x`
        raise InvalidManifestError(f"not YAML: {' '.join(str(error).split())}") from error


def compose_documents(text: str) -> list[yaml.Node]:
    """Compose the documents' nodes, which know where in the text they stand.

    Raises:
        InvalidManifestError: the text is no YAML, or too deep or large.
    """
    try:
        _check_size(text)
        return list(yaml.compose_all(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidManifestError(f"not YAML: {' '.join(str(error).split())}") from error


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, and quotes around whatever another reader of YAML might not take for a text."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if _PLAIN.fullmatch(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9./:_@ -]*[A-Za-z0-9]", re.ASCII)
_Dumper.add_representer(str, _represent_text)


def dump_document(document: object) -> str:
    """Write a document for people to read, its keys in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=_ANY_WIDTH)


def unfold(document: object) -> Iterator[dict[str, object]]:
    """Give the object that a document is, or every object of the List that it is.

    Raises:
        InvalidManifestError: it is no object of the Kubernetes API.
    """
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        raise InvalidManifestError("a document without `kind` is no object of the Kubernetes API")
    if not document["kind"].endswith("List") or not isinstance(document.get("items"), list):
        yield document
        return
    for item in document["items"]:
        yield from unfold(item)


def read_configmap(obj: dict[str, object]) -> tuple[ConfigMap, list[tuple[str, str]]]:
    """Read a ConfigMap; what of its data is no text comes back as (key, reason).

    Raises:
        InvalidManifestError: the object is no ConfigMap, or has no name.
    """
    if obj.get("kind") != "ConfigMap" or obj.get("apiVersion") != "v1":
        raise InvalidManifestError(f"a {obj['kind']} ({obj.get('apiVersion')}) is no ConfigMap (v1)")
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(metadata, dict) or not isinstance(name, str):
        raise InvalidManifestError("a ConfigMap without metadata.name")
    data = obj.get("data") or {}
    if not isinstance(data, dict):
        raise InvalidManifestError(f"{name}: data must be a mapping of texts")
    texts = {str(key): value if isinstance(value, str) else "" for key, value in data.items()}
    faults = [(str(key), _NO_TEXT) for key, value in data.items() if not isinstance(value, str)]
    labels = metadata.get("labels")
    own = labels.items() if isinstance(labels, dict) else ()
    return ConfigMap(name, {str(key): value for key, value in own if isinstance(value, str)}, texts), faults


def _check_size(text: str) -> None:
    """Check depth and number of the values before any is made, with every alias written out."""
    sizes: dict[str, int] = {}
    open_sizes, open_anchors = [0], [""]
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_sizes.append(1)
            open_anchors.append(event.anchor or "")
        elif isinstance(event, yaml.CollectionEndEvent):
            size = open_sizes.pop()
            sizes[open_anchors.pop()] = size
            open_sizes[-1] += size
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                raise InvalidManifestError("an alias of what holds it")
            open_sizes[-1] += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            open_sizes[-1] += 1
        if len(open_sizes) > YAML_DEPTH + 1 or open_sizes[-1] > YAML_NODES:
            raise InvalidManifestError(f"nested deeper than {YAML_DEPTH} levels, or of more than {YAML_NODES} values")
