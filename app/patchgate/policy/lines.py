"""Lines of a text that people or programs wrote: they end at LF or CRLF alone, as every editor shows them.

`str.splitlines` also ends them at eight other characters, among them U+2028, which most editors do not show: what
looks like a comment could then add a line. Such a character makes its line wrong here, and is named.
"""

import unicodedata
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

BLANKS: Final = " \t"
"""What is left out around a line."""
_BYTE_ORDER_MARK: Final = "\ufeff"
_ENDING: Final = frozenset({"Cc", "Zl", "Zp"})
"""Unicode's general categories of characters that are no text, or end a line elsewhere."""
_FORMATTING: Final = "Cf"
"""That of characters that are not shown, and may reorder what is: people's comments in some scripts need them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: from 1.
        text: without its end and the blanks around it.
        fault: which character must not be there, so that the line has no effect; empty if none.
        note: which character is not shown, and does no harm in a comment; empty if none.
    """

    number: int
    text: str
    fault: str = ""
    note: str = ""


def read_lines(text: str) -> Iterator[Line]:
    """Read the lines of a text; a byte order mark before the first one is left out."""
    for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split("\n"), 1):
        content = line.removesuffix("\r").strip(BLANKS)
        if content.isascii() and content.isprintable():
            yield Line(number, content)
        else:
            yield Line(number, content, _find(content, _ENDING), _find(content, {_FORMATTING}))


def _find(text: str, categories: Container[str]) -> str:
    """Find the first character of these categories, and say which; empty if there is none."""
    for character in text:
        if character not in BLANKS and unicodedata.category(character) in categories:
            return f"delete U+{ord(character):04X} from it, a character that editors do not show"
    return ""
