"""Reads an object of the Kubernetes API, as far as it matters, from what JSON or YAML gave."""

from collections.abc import Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from patchgate.errors import InvalidManifestError
from patchgate.policy.workload import Object, is_judged
from patchgate.validation import say_first_error

_OBJECT: Final = TypeAdapter(Object)


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
        return _OBJECT.validate_python(value)
    except ValidationError as error:
        raise InvalidManifestError(f"{kind}: {say_first_error(error)}") from error
