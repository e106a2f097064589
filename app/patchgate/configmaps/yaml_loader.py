"""Loads YAML within bounds: no text may take the process with it, however small it is.

The loader in C has no limit of its own on recursion, and an alias may stand for much: so depth and number of the values
are checked before any is made.
"""

import re
from typing import ClassVar, Final

import yaml

from patchgate.errors import InvalidManifestError
from patchgate.limits import YAML_DEPTH, YAML_NODES


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # the one in C where there is one
    """YAML's core schema (YAML 1.2, 10.3), and merge keys as kubectl has them (yaml.org/type/merge).

    No dates and no base 60: both can be made to explode. A merge copies at most what its alias written out has, which
    `_check_size` bounds.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]{1,18}$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}$"), list("-+0123456789")
)
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
