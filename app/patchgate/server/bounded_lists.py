"""Reads a large body without building its lists before they are counted.

A body of `{}` has twelve million containers, each of which Python would make an object of. So a Struct's lists are kept
as they came, and read one by one if they are not too long. Of a key that comes twice the last is read alone.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, Raw, Struct, UnsetType
from msgspec.structs import FieldInfo, astuple, fields

from patchgate.server.json_parts import NULL

ITEMS: Final = 4096
"""Items of one list of an object, such as the containers of a Pod: a usual one has fewer than ten."""
LARGE_BYTES: Final = 64 * 1024
"""What is read so: a smaller body has at most 20,000 items, 2 ms of work."""
_S = TypeVar("_S", bound=Struct)


class TooManyItemsError(Exception):
    """A list has more than ITEMS.

    Attributes:
        read: what was read of the body, its lists as they came.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"it has more than {ITEMS} {name}")
        self.read: Any = None


class BoundedDecoder(msgspec.Struct):
    """Decodes JSON into a Struct.

    Attributes:
        struct: what is made.
        usual: its decoder, for small bodies.
        lazy: of the same, with its lists as they came.
    """

    struct: type[Struct]
    usual: msgspec.json.Decoder[Any]
    lazy: msgspec.json.Decoder[Any]


def make_decoder(struct: type[_S]) -> BoundedDecoder:
    """Make the decoder of a Struct, and of the Structs within it."""
    return BoundedDecoder(struct, msgspec.json.Decoder(struct), msgspec.json.Decoder(_make_lazy(struct)))


def decode(decoder: BoundedDecoder, body: bytes | bytearray | Raw) -> Any:  # noqa: ANN401 -- of decoder.struct
    """Decode a body.

    Raises:
        TooManyItemsError: one of its lists is too long.
        ValueError, RecursionError: as msgspec has them.
    """
    if len(memoryview(body)) <= LARGE_BYTES:
        return decoder.usual.decode(body)
    lazy = decoder.lazy.decode(body)
    try:
        return _build(lazy, decoder.struct)
    except TooManyItemsError as error:
        error.read = lazy
        raise


def _make_lazy(struct: type[Struct]) -> type[Struct]:
    """Make a Struct of the same fields, with Raw for each list; the Struct itself where it has none."""
    declared = [(each.name, _translate(each.type), each) for each in fields(struct)]
    if all(kind == each.type for _, kind, each in declared):
        return struct
    return msgspec.defstruct(f"Lazy{struct.__name__}", [_declare(*each) for each in declared])


def _declare(name: str, kind: Any, each: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:  # noqa: ANN401
    if each.default is NODEFAULT:
        return name, kind
    return name, kind, NULL if kind is Raw else each.default


def _translate(hint: Any) -> Any:  # noqa: ANN401 -- a type, or what typing makes of several
    parts = _list_parts(hint)
    if _find_list(parts):
        return Raw
    return Union[tuple(_make_lazy(part) if _is_struct(part) else part for part in parts)]  # noqa: UP007


def _build(value: Struct, struct: type[Struct]) -> Struct:
    """Build the Struct of what was read lazily."""
    if type(value) is struct:
        return value
    return struct(**{each.name: _build_field(getattr(value, each.name), each) for each in fields(struct)})


def _build_field(value: object, each: FieldInfo) -> object:
    parts = _list_parts(each.type)
    if isinstance(value, Raw):
        return _read_list(value, each.name, _find_list(parts))
    if isinstance(value, Struct):
        return _build(value, next(part for part in parts if _is_struct(part)))
    return value


def _read_list(raw: Raw, name: str, kind: Any) -> object:  # noqa: ANN401 -- a list's type
    if raw == NULL:
        return None
    items = astuple(_make_counting(kind).decode(raw))
    if items[-1] is not UNSET:
        raise TooManyItemsError(name)
    return items[: items.index(UNSET)]


@cache
def _make_counting(kind: Any) -> msgspec.json.Decoder[Any]:  # noqa: ANN401
    """Make the decoder of a list's first items; it passes over what follows the first too many."""
    places = [f"place_{number}" for number in range(ITEMS + 1)]
    item = get_args(kind)[0]
    struct = msgspec.defstruct("_Counted", [(place, item | UnsetType, UNSET) for place in places], array_like=True)
    return msgspec.json.Decoder(struct)


def _find_list(parts: Sequence[Any]) -> Any:  # noqa: ANN401
    return next((part for part in parts if get_origin(part) is Sequence), None)


def _list_parts(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401
    origin = get_origin(hint)
    return (hint,) if origin is None or issubclass(origin, Sequence | Mapping) else get_args(hint)


def _is_struct(kind: Any) -> bool:  # noqa: ANN401
    return isinstance(kind, type) and issubclass(kind, Struct)
