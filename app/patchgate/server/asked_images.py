"""Reads `images` of a question: a list of texts, or Kyverno's map."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Raw, Struct

from patchgate.errors import RequestError
from patchgate.limits import IMAGES_OF_A_REQUEST
from patchgate.server.json_parts import is_object, read_texts
from patchgate.validation import say_fault

_TOO_MANY: Final = f"one question has at most {IMAGES_OF_A_REQUEST} images"
_T = TypeVar("_T")


class KyvernoImage(Struct, frozen=True, gc=False):
    """An item of Kyverno's `images` (pkg/utils/image): `reference` leaves out the tag beside a digest."""

    reference: str = ""
    registry: str = ""
    path: str = ""
    tag: str = ""
    digest: str = ""

    def to_text(self) -> str:
        """Give the image as a reference."""
        if self.reference:
            return self.reference
        name = "/".join(filter(None, (self.registry, self.path)))
        return name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


class _Key(str):
    """A key of Kyverno's map: a type of its own, so that msgspec shows us each before it reads on."""

    __slots__ = ()


_Hook = Callable[[type[Any], Any], Any]


def read_images(raw: Raw) -> list[str]:
    """List the images asked about, in order.

    Raises:
        RequestError: 400, they are neither a list of texts nor Kyverno's map; 413, they are too many.
    """
    if not is_object(raw):
        return read_texts(raw, "images", _TOO_MANY)
    count = _make_counter()
    groups = _decode(raw, dict[_Key, Raw], ("images",), count)
    return [
        _decode(item, KyvernoImage, ("images", group, name)).to_text()
        for group, items in groups.items()
        for name, item in _decode(items, dict[_Key, Raw], ("images", group), count).items()
    ]


def _make_counter() -> _Hook:
    """Make what msgspec calls for each key; it refuses the first that is too many."""
    left = IMAGES_OF_A_REQUEST

    def count(_: type[Any], key: str) -> _Key:
        nonlocal left
        left -= 1
        if left < 0:
            raise RequestError(413, _TOO_MANY)
        return _Key(key)

    return count


def _decode(raw: Raw, kind: type[_T], steps: tuple[str, ...], hook: _Hook | None = None) -> _T:
    """Decode what stands at the steps, which are joined where something is wrong alone: a key may be long."""
    try:
        return msgspec.json.decode(raw, type=kind, dec_hook=hook)
    except msgspec.ValidationError as error:
        raise RequestError(400, say_fault(error, within=".".join(steps))) from error
