"""Reads an object of the Kubernetes API, as far as it matters, from what JSON or YAML gave."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from patchgate.errors import InvalidManifestError
from patchgate.policy.workload import Object, is_judged

_FAULT: Final = re.compile(r"Expected `(object|array|str)[^`]*`, got `\w+` - at `\$\.(.+)`")  # msgspec's words
_PLAIN: Final = {"object": "must be an object", "array": "must be a list", "str": "must be a text"}


def read_object(value: Mapping[str, object]) -> Object:
    """Read an object. One of a kind that has no images is read by its kind alone, whatever it holds.

    Raises:
        InvalidManifestError: a Pod or a Pod template is not as the API has it; says where.
    """
    api_version, kind = value.get("apiVersion"), value.get("kind")
    if not isinstance(kind, str) or not isinstance(api_version, str):
        raise InvalidManifestError("an object has a kind and an apiVersion, and both are texts")
    if kind.endswith("List") and isinstance(value.get("items"), list):
        raise InvalidManifestError(f"a {kind} is not judged as one: send each of its items")
    if not is_judged(api_version, kind):
        return Object(api_version, kind)
    try:
        return msgspec.convert(value, Object)  # stops at the first fault: pydantic would tell millions
    except msgspec.ValidationError as error:
        raise InvalidManifestError(f"{kind}: {_say_fault(str(error))}") from error


def _say_fault(text: str) -> str:
    """Say what msgspec found wrong in the words of whoever sent it."""
    fault = _FAULT.fullmatch(text)
    if fault is None:
        return "is not as the API has it"
    place = fault[2].replace("[", ".").replace("]", "")
    return f"{place}: {_PLAIN[fault[1]]}"
