"""Reads JSON of which a part is wanted: the rest is passed over, checked to be JSON, and never built.

Whoever may ask may send 7 MiB of `[]`, of which Python makes two million lists, and nobody is answered meanwhile.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from patchgate.errors import RequestError
from patchgate.limits import IMAGES_OF_A_REQUEST
from patchgate.validation import say_fault

_T = TypeVar("_T")
NULL: Final = Raw(b"null")
_PLACES: Final = [f"place_{number}" for number in range(IMAGES_OF_A_REQUEST)] + ["one_more"]
_COUNTED: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(  # passes over what follows the first too many
    msgspec.defstruct("_Counted", [(place, Raw | UnsetType, UNSET) for place in _PLACES], array_like=True)
)


class TooDeepError(RequestError):
    """JSON is nested too deeply to be read, which says nothing about what it means."""

    def __init__(self) -> None:
        super().__init__(400, "nested too deeply: recursion limit exceeded")


def decode_body(body: bytes | bytearray, decoder: msgspec.json.Decoder[_T]) -> _T:
    """Decode a body, of which msgspec checks what it passes over to be JSON, but not to be UTF-8 (RFC 8259, 8.1).

    Raises:
        ValueError, RecursionError: it cannot be read; `refuse_unread` says why.
    """
    body.decode()
    return decoder.decode(body)


@contextmanager
def refuse_unread() -> Iterator[None]:
    """Make of what keeps a body from being read what its sender is told.

    Raises:
        RequestError: 400, it is no JSON, or not what was expected.
        TooDeepError: it is nested too deeply.
    """
    try:
        yield
    except RecursionError as error:
        raise TooDeepError from error
    except UnicodeDecodeError as error:
        raise RequestError(400, f"body: not UTF-8 at byte {error.start}") from error
    except msgspec.ValidationError as error:
        raise RequestError(400, say_fault(error, whole="body")) from error
    except msgspec.DecodeError as error:
        raise RequestError(400, f"body: {error}") from error


def is_list(raw: Raw) -> bool:
    """Tell whether the JSON is an array."""
    return bytes(memoryview(raw)[:1]) == b"["


def is_object(raw: Raw) -> bool:
    """Tell whether the JSON is an object."""
    return bytes(memoryview(raw)[:1]) == b"{"


def read_texts(raw: Raw, place: str, too_many: str) -> list[str]:
    """Read a list of texts, counted before it is built.

    place: where it stands in the body.
    too_many: what is said where there are more than IMAGES_OF_A_REQUEST.

    Raises:
        RequestError: 400, it is no list of texts; 413, it is too long.
    """
    try:
        if _COUNTED.decode(raw).one_more is not UNSET:
            raise RequestError(413, too_many)
        return msgspec.json.decode(raw, type=list[str])
    except msgspec.ValidationError as error:
        raise RequestError(400, say_fault(error, within=place)) from error
