"""Writes the data of one ConfigMap into the text of a file: every other byte of the file stays as it is.

People keep comments, other documents and other keys in the same file. So a text is replaced where it stands, and the
outcome is read back: a file that cannot be edited in place (aliases, odd indentation) is refused, never spoilt.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import yaml
import yaml.reader

from patchgate.configmaps.documents import load_documents, read_configmap, unfold
from patchgate.configmaps.yaml_loader import compose_documents
from patchgate.errors import InvalidManifestError

_INDENT: Final = 2
_UNFIT: Final = re.compile(rf"[\r\x85\u2028\u2029]|{yaml.reader.Reader.NON_PRINTABLE.pattern}")
"""What a literal block cannot hold: other line breaks (YAML 1.1, 5.4), and what is not printable."""
_OTHER_BREAKS: Final = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff]")
_NEW: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n"


def make_document(name: str, data: Mapping[str, str]) -> str:
    """Make the text of a file that holds one ConfigMap. data: not empty."""
    return _NEW.format(name=name) + "".join(_write_entry(key, text, _INDENT) for key, text in data.items())


def edit_document(text: str, name: str, data: Mapping[str, str]) -> str:
    """Give the file's text with these keys of the data of the first ConfigMap of that name.

    Raises:
        InvalidManifestError: it holds no such ConfigMap, or one that cannot be edited in place.
    """
    wanted = load_documents(text)
    _find_data(wanted, name).update(data)
    is_json = text.startswith("{") and len(wanted) == 1
    edited = json.dumps(wanted[0], indent=2, ensure_ascii=False) + "\n" if is_json else text
    if not is_json:
        for key, value in data.items():
            edited = _edit(edited, name, key, value)
    if load_documents(edited) != wanted:
        raise InvalidManifestError(f"{name} cannot be edited in place: write its data as plain `key: |` blocks")
    return edited


def _find_data(documents: list[object], name: str) -> dict[str, object]:
    """Find the data of a ConfigMap, as a mapping of its own; made where it has none."""
    for document in documents:
        for obj in _unfold_good(document):
            if _is_named(obj, name):
                known = obj.get("data")
                data: dict[str, object] = dict(known) if isinstance(known, dict) else {}  # an alias's other side stays
                obj["data"] = data
                return data
    raise InvalidManifestError(f"holds no ConfigMap {name}")


def _unfold_good(document: object) -> Iterator[dict[str, object]]:
    try:
        yield from unfold(document)
    except InvalidManifestError:
        return


def _is_named(obj: dict[str, object], name: str) -> bool:
    try:
        return read_configmap(obj)[0].name == name
    except InvalidManifestError:
        return False


def _edit(text: str, name: str, key: str, value: str) -> str:
    root = next((node for document in compose_documents(text) for node in _find_nodes(document, name)), None)
    if root is None:
        raise InvalidManifestError(f"holds no ConfigMap {name}")
    data = _get(root, "data")
    if data is None:
        return _insert_data(text, root, key, value)
    if not isinstance(data, yaml.MappingNode) or not data.value:
        return _fill(text, root, data, key, value)
    old = _get(data, key)
    return _insert(text, data, key, value) if old is None else _replace(text, data, old, value)


def _find_nodes(node: yaml.Node, name: str) -> Iterator[yaml.MappingNode]:
    """Find the ConfigMaps of that name, in Lists too."""
    if not isinstance(node, yaml.MappingNode):
        return
    kind, metadata, items = _get(node, "kind"), _get(node, "metadata"), _get(node, "items")
    if isinstance(items, yaml.SequenceNode):
        for item in items.value:
            yield from _find_nodes(item, name)
    named = _get(metadata, "name") if isinstance(metadata, yaml.MappingNode) else None
    if kind is not None and kind.value == "ConfigMap" and named is not None and named.value == name:
        yield node


def _get(node: yaml.MappingNode, key: str) -> yaml.Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _replace(text: str, parent: yaml.MappingNode, old: yaml.Node, value: str) -> str:
    """Replace a text where it stands; what follows on its line is a comment, and goes behind the new one's head."""
    start, end = old.start_mark.index, old.end_mark.index
    if parent.flow_style:
        return text[:start] + _quote(value) + text[end:]
    indent, head = parent.start_mark.column + _INDENT, text[:start] + (" " if start == end else "")
    if (end and text[end - 1] == "\n") or end == len(text):
        return head + _write_text(value, indent, "") + text[end:]
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    return head + _write_text(value, indent, text[end:line_end].rstrip()) + text[line_end + 1 :]


def _insert(text: str, parent: yaml.MappingNode, key: str, value: str) -> str:
    """Insert an entry before the first one of a mapping."""
    start = parent.value[0][0].start_mark.index
    if parent.flow_style:
        return f"{text[:start]}{_quote(key)}: {_quote(value)}, {text[start:]}"
    column = parent.start_mark.column
    return text[:start] + _write_entry(key, value, column).lstrip(" ") + " " * column + text[start:]


def _insert_data(text: str, root: yaml.MappingNode, key: str, value: str) -> str:
    start, column = root.value[0][0].start_mark.index, root.start_mark.column
    if root.flow_style:
        return f'{text[:start]}"data": {{{_quote(key)}: {_quote(value)}}}, {text[start:]}'
    entry = "data:\n" + _write_entry(key, value, column + _INDENT)
    return text[:start] + entry + " " * column + text[start:]


def _fill(text: str, root: yaml.MappingNode, data: yaml.Node, key: str, value: str) -> str:
    """Fill data that is empty: `{}` or nothing at all."""
    start, end = data.start_mark.index, data.end_mark.index
    if root.flow_style:
        return f"{text[:start]}{{{_quote(key)}: {_quote(value)}}}{text[end:]}"
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    entry = _write_entry(key, value, root.start_mark.column + _INDENT)
    return f"{text[:start].rstrip(' ')}{text[end:line_end]}\n{entry}{text[line_end + 1 :]}"


def _write_entry(key: str, value: str, indent: int) -> str:
    return f"{' ' * indent}{key}: {_write_text(value, indent + _INDENT, '')}"


def _write_text(value: str, indent: int, comment: str) -> str:
    """Write a text as a literal block with its line's end, or in quotes where a block could not hold it."""
    if not value.strip() or value.startswith((" ", "\t", "\n")) or _UNFIT.search(value):
        return f"{_quote(value)}{comment}\n"
    chomp = "" if value.endswith("\n") and not value.endswith("\n\n") else "+" if value.endswith("\n") else "-"
    lines = (f"{' ' * indent}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    return f"|{chomp}{comment}\n" + "\n".join(lines) + "\n"


def _quote(value: str) -> str:
    return _OTHER_BREAKS.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False))
