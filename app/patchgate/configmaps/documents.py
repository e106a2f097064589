"""YAML and JSON documents, as kubectl accepts them: read here for ConfigMaps and manifests alike; and written.

A text is UTF-8, or UTF-16 or UTF-32 (`decode_text`). It is one JSON value, several after each other, or a YAML stream
with anchors and merge keys.
"""

import codecs
import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import yaml

from patchgate.configmaps.configmap import ConfigMap
from patchgate.configmaps.yaml_loader import Budget, load_yaml
from patchgate.errors import InvalidManifestError, NoObjectError
from patchgate.limits import YAML_DEPTH

_read_json: Final = msgspec.json.Decoder().decode
MANIFEST_ENDINGS: Final = frozenset({".yaml", ".yml", ".json"})
"""How the names of files end that hold YAML or JSON."""
LIST_FAULTS: Final = 10
"""Faults of one List that are named; the rest are counted. A List of a million numbers is one slip, not a million."""
_ANY_WIDTH: Final = 100_000
BINARY: Final = "is binary: must be a text in UTF-8"
_NO_TEXT: Final = "must be a text: put it in quotes"


_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: it begins with the same bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_NULS: Final = (("x000", "utf-32-le"), ("000x", "utf-32-be"), ("x0", "utf-16-le"), ("0x", "utf-16-be"))
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


def decode_text(content: bytes) -> str:
    """Decode a file: by its byte order mark (PowerShell writes UTF-16 with one) or its NULs, else as UTF-8.

    Raises:
        InvalidManifestError: it is in no encoding that is read; says how to save it.
    """
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), None) or _guess(content[:4])
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        shown = encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be").upper()
        raise InvalidManifestError(f"not {shown} text: save it as UTF-8") from error


def _guess(head: bytes) -> str:
    """Guess the encoding of a text without a mark, whose first character is ASCII (YAML 1.2.2, section 5.2)."""
    nuls = "".join("0" if byte == 0 else "x" for byte in head)
    return next((name for pattern, name in _NULS if nuls.startswith(pattern)), "utf-8")


def load_documents(text: str) -> list[object]:
    """Load every document that is not empty. An alias is one and the same value, never a copy.

    JSON is read as such where it is JSON, a tenth of YAML's time: it has no aliases that could make it grow. Several
    JSON values after each other are several documents, as for kubectl.

    Raises:
        InvalidManifestError: the text is no YAML, or too deep or large.
    """
    if text.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            return [_read_json(text)]
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):  # the rest is YAML's to explain, or to read
            return list(_read_json_values(text))
    return load_yaml(text, Budget())


def load_good_documents(text: str) -> Iterator[object | InvalidManifestError]:
    """Load what is good of a stream: in place of each document that cannot be read comes the reason, with its number.

    Anchors end with their document (YAML 1.2, 3.2.2.2), so one broken document costs no other.
    """
    try:
        yield from load_documents(text)
    except InvalidManifestError as error:
        parts = _split_stream(text)
        if len(parts) == 1:
            yield error
            return
        budget = Budget()
        for number, part in enumerate(parts, 1):
            try:
                yield from load_yaml(part, budget)
            except InvalidManifestError as fault:
                yield InvalidManifestError(f"document {number}: {fault}")


def _split_stream(text: str) -> list[str]:
    """Split a stream before each line that begins a document; what comes before the first one belongs to it."""
    parts = _DOCUMENT.split(text)
    has_head = not _COMMENTS.sub("", parts[0]).strip()  # comments and directives
    return [parts[0] + parts[1], *parts[2:]] if has_head and len(parts) > 1 else parts


_DOCUMENT: Final = re.compile(r"^(?=---(?:\s|$))", re.MULTILINE)
_COMMENTS: Final = re.compile(r"^[#%].*$", re.MULTILINE)


def _read_json_values(text: str) -> Iterator[object]:
    decoder, place = json.JSONDecoder(parse_constant=_refuse_constant), 0
    while (place := _skip_blanks(text, place)) < len(text):
        value, place = decoder.raw_decode(text, place)
        yield value


def _skip_blanks(text: str, place: int) -> int:
    blanks = _BLANKS.match(text, place)
    return blanks.end() if blanks else place


def _refuse_constant(name: str) -> Any:  # noqa: ANN401 -- as json has it
    raise ValueError(f"{name} is no JSON")


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
    for each in unfold_good(document):
        if isinstance(each, InvalidManifestError):
            raise each
        yield each


def unfold_good(document: object, depth: int = 0) -> Iterator[dict[str, object] | InvalidManifestError]:
    """Give the same; in place of an item that is no object comes the reason, with its number.

    An item of a FooList that names neither kind nor apiVersion is a Foo (k8s.io/apimachinery, unstructured.
    decodeToList): that is how kube-apiserver answers.
    """
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str) or not document["kind"]:
        yield NoObjectError("a document without `kind` is no object of the Kubernetes API")
        return
    kind, items = document["kind"], document.get("items")
    if not kind.endswith("List") or not isinstance(items, list):
        yield document
        return
    if depth == YAML_DEPTH:
        yield InvalidManifestError(f"Lists within Lists, deeper than {YAML_DEPTH} levels")
        return
    head = {"apiVersion": document.get("apiVersion"), "kind": kind.removesuffix("List")}
    faults = 0
    for number, item in enumerate(items, 1):
        bare = head["kind"] and isinstance(item, dict) and not item.get("kind") and not item.get("apiVersion")
        for each in unfold_good(item | head if bare else item, depth + 1):
            if not isinstance(each, InvalidManifestError):
                yield each
                continue
            faults += 1
            if faults <= LIST_FAULTS:
                yield InvalidManifestError(f"item {number} of the {kind}: {each}")
    if faults > LIST_FAULTS:
        yield InvalidManifestError(f"{faults - LIST_FAULTS} more faults in items of the {kind}")


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
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    if not isinstance(data, dict) or not isinstance(binary, dict):
        raise InvalidManifestError(f"{name}: data and binaryData must be mappings")
    texts = {str(key): value if isinstance(value, str) else "" for key, value in data.items()}
    faults = [(str(key), _NO_TEXT) for key, value in data.items() if not isinstance(value, str)]
    faults += [(str(key), BINARY) for key in binary]
    labels = metadata.get("labels")
    own = labels.items() if isinstance(labels, dict) else ()
    texts_of_labels = {str(key): value for key, value in own if isinstance(value, str)}
    return ConfigMap(name, texts_of_labels, texts, frozenset(key for key, _ in faults)), faults
