"""Reads an object of the Kubernetes API, as far as it matters, from what YAML gave or from JSON."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw, Struct

from patchgate.errors import InvalidManifestError
from patchgate.policy.workload import Object, is_judged
from patchgate.server.bounded_lists import TooManyItemsError, decode, make_decoder
from patchgate.server.json_parts import is_list
from patchgate.validation import say_fault

_UNNAMED: Final = "an object has a kind and an apiVersion, and both are texts"


_OBJECT: Final = make_decoder(Object)


class _Head(Struct, frozen=True, gc=False):
    apiVersion: str  # noqa: N815 -- the API's own name
    kind: str
    items: Raw = Raw(b"null")


def read_object(value: Mapping[str, object]) -> Object:
    """Read an object. One of a kind that has no images is read by its kind alone, whatever it holds.

    Raises:
        InvalidManifestError: a Pod or a Pod template is not as the API has it; says where.
    """
    has_items = isinstance(value.get("items"), list)
    read = partial(msgspec.convert, value, Object)
    return _read(value.get("apiVersion"), value.get("kind"), read, has_items=has_items)


def decode_object(raw: Raw) -> Object:
    """Read an object from its JSON, as `read_object` does; what does not matter is passed over and never built.

    Raises:
        InvalidManifestError: as `read_object`.
        RecursionError: it is nested too deeply.
    """
    try:
        head = msgspec.json.decode(raw, type=_Head)
    except msgspec.ValidationError as error:
        raise InvalidManifestError(_UNNAMED) from error
    read = partial(decode, _OBJECT, raw)
    return _read(head.apiVersion, head.kind, read, has_items=is_list(head.items))


def _read(api_version: object, kind: object, read: Callable[[], Object], *, has_items: bool) -> Object:
    """Read an object by its head. read: reads all of it that matters."""
    if not isinstance(kind, str) or not isinstance(api_version, str):
        raise InvalidManifestError(_UNNAMED)
    if kind.endswith("List") and has_items:
        raise InvalidManifestError(f"a {kind} is not judged as one: send each of its items")
    if not is_judged(api_version, kind):
        return Object(api_version, kind)
    try:
        return read()  # msgspec stops at the first fault: pydantic would tell millions
    except msgspec.ValidationError as error:
        raise InvalidManifestError(f"{kind}: {say_fault(error)}") from error
    except TooManyItemsError as error:
        raise InvalidManifestError(f"{kind}: {error}") from error
