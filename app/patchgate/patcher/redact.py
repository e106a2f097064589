"""Removes secrets from what a program or a registry said, before anybody sees it. Pure.

Known secrets go wherever they stand; unknown ones by their looks: credentials in a URL, Authorization headers, tokens
in queries and in JSON, signed URLs, JSON web tokens.
"""

import re
from collections.abc import Iterable
from typing import Final

from patchgate.limits import SHOWN_ERROR_CHARACTERS

READ_CHARACTERS: Final = 4096
"""Of an error that are looked at: many more than are shown, and few enough for patterns that look back."""
_HIDDEN: Final = "***"
_SHORTEST_SECRET: Final = 4  # a shorter one hides half of every text, and nothing that is worth hiding
_PATTERNS: Final = (
    re.compile(r"(?<=://)[^/\s]+(?=@)"),  # a password may hold a `@` that nobody escaped
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}|(?<=basic )[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)(?:(?<=[?&\s\"'])|\b)((?:[\w-]{0,40}(?:token|password|passwd|secret|signature|credential|sig|access_?key))\"?\s*[=:]\s*\"?)"
        r"[^\s&\"',;]+"
    ),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"),
)
_CONTROLS: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f\x7f]+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Give the text without secrets. secrets: known ones."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: (match.group(1) if match.re.groups else "") + _HIDDEN, text)
    return text


def quote_error(text: str, secrets: Iterable[str] = ()) -> str:
    """Give a program's words as a part of one line: without secrets, control characters and what is too long.

    What lies far behind the part that is shown is cut off before: a registry or an image decides how long it is.
    """
    if len(text) > READ_CHARACTERS:
        kept = text[:READ_CHARACTERS]
        text = kept.rpartition(" ")[0] or kept  # no part of a secret should be left at the cut
    line = " ".join(_CONTROLS.sub(" ", redact(text, secrets)).split())
    return line if len(line) <= SHOWN_ERROR_CHARACTERS else f"{line[: SHOWN_ERROR_CHARACTERS - 1]}…"
