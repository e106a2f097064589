"""Loads YAML within bounds: no text may take the process with it, however small it is.

The loader in C has no limit of its own on recursion, and an alias may stand for much: so depth and number of the values
are checked before any is made.
"""

import re
from typing import Any, ClassVar, Final

import yaml
from yaml.constructor import ConstructorError

from patchgate.errors import InvalidManifestError
from patchgate.limits import YAML_DEPTH, YAML_NODES


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the one in C where there is one
    """YAML's core schema (YAML 1.2, 10.3), and merge keys as kubectl has them.

    No dates and no base 60, with a tag neither: both can be made to explode, as can long numbers. A merge copies at
    most what its alias written out has, which `_check_size` bounds.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Put what is merged in the place of its key: it overrides what comes before, and what comes after it.

        So sigs.k8s.io/yaml does, which kubectl uses; yaml.org/type/merge has every key of the mapping itself win.
        """
        pairs: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            pairs += self._list_merged(node, value) if key.tag == _MERGE_TAG else [(key, value)]
        node.value = pairs

    def _list_merged(self, node: yaml.MappingNode, value: Any) -> list[tuple[yaml.Node, yaml.Node]]:  # noqa: ANN401 -- a node of any kind
        sources = reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]  # the first one wins
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                fault = f"expected a mapping or list of mappings for merging, but found {source.id}"
                raise ConstructorError("while constructing a mapping", node.start_mark, fault, source.start_mark)
            self.flatten_mapping(source)
            merged += source.value
        return merged


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = _take(loader, node, _INT)
    digits = text.lstrip("+-")
    return int(text, 8) if digits.startswith("0") and set(digits) <= set("01234567") else int(text)  # as kubectl


def _construct_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    return float(_take(loader, node, _FLOAT))


def _take(loader: yaml.SafeLoader, node: yaml.ScalarNode, pattern: re.Pattern[str]) -> str:
    """Take a number only as it is written without a tag, too."""
    text = str(loader.construct_scalar(node))
    if not pattern.match(text):
        raise ConstructorError(None, None, f"no number of {_DIGITS} digits at most", node.start_mark)
    return text


def _refuse(_: yaml.SafeLoader, node: yaml.Node) -> object:
    raise ConstructorError(None, None, "a time must be a text: leave out its tag", node.start_mark)


_DIGITS: Final = 18
"""Of a number: longer ones take time that grows with the square of their length."""
_INT: Final = re.compile(rf"[-+]?[0-9]{{1,{_DIGITS}}}$")
_FLOAT: Final = re.compile(rf"[-+]?[0-9]{{1,{_DIGITS}}}(?:\.[0-9]{{0,{_DIGITS}}})?$")

_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", _INT, list("-+0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+0123456789"))  # an int comes first
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _construct_float)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _refuse)
_MERGE_TAG: Final = "tag:yaml.org,2002:merge"
_Loader.add_implicit_resolver(_MERGE_TAG, re.compile(r"<<$"), ["<"])
_Loader.add_constructor(_MERGE_TAG, _Loader.construct_yaml_str)  # `<<` as a value is a text


class Budget:
    """How many values a stream may still have, over all its parts."""

    def __init__(self) -> None:
        self.left = YAML_NODES


def load_yaml(text: str, budget: Budget) -> list[object]:
    """Load every document that is not empty. An alias is one and the same value, never a copy.

    budget: how many values it may have; what it has is taken off.

    Raises:
        InvalidManifestError: the text is no YAML, or too deep or large.
    """
    try:
        _check_size(text, budget)
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
        _check_size(text, Budget())
        return list(yaml.compose_all(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidManifestError(f"not YAML: {' '.join(str(error).split())}") from error


def _check_size(text: str, budget: Budget) -> None:
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
        if len(open_sizes) > YAML_DEPTH + 1 or open_sizes[-1] > budget.left:
            raise InvalidManifestError(f"nested deeper than {YAML_DEPTH} levels, or of more than {YAML_NODES} values")
    budget.left -= open_sizes[0]
