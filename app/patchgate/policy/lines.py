"""Lines of a text that people or programs wrote: they end at LF or CRLF alone, as every editor shows them.

`str.splitlines` also ends them at eight other characters, among them U+2028, which most editors do not show: what
looks like a comment could then add a line. Such a character makes its line wrong here, and is named.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

BLANKS: Final = " \t"
"""What is left out around a line."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_JOINERS: Final = frozenset("\u200c\u200d")
"""Zero-width (non-)joiners: several scripts and emoji need them, and they move no other character."""
_HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode's general categories of characters that end a line elsewhere, reorder a text, or are not shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: from 1.
        text: without its end and the blanks around it.
        fault: which character must not be there; empty if none.
    """

    number: int
    text: str
    fault: str


def read_lines(text: str) -> Iterator[Line]:
    """Read the lines of a text; a byte order mark before the first one is left out."""
    for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1):
        content = line.removesuffix("\r").strip(BLANKS)
        yield Line(number, content, find_hidden(content))


def find_hidden(text: str) -> str:
    """Find the first character that is not shown or would end a line elsewhere; say which. Empty if there is none."""
    if text.isascii() and text.isprintable():
        return ""
    for character in text:
        if character != "\t" and character not in _JOINERS and unicodedata.category(character) in _HIDDEN:
            return f"delete U+{ord(character):04X} from it, a character that editors do not show"
    return ""
