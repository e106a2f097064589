"""Reads what a registry asks for before it answers: the challenges of a 401 (RFC 9110, section 11.6.1). Pure.

One header may hold several challenges, and one of them several parameters, all with commas between.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from urllib3 import HTTPHeaderDict

HEADER_CHARACTERS: Final = 4096
"""Of a header that are read: a challenge has some hundred, and a hostile one must not cost more than its length."""
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_ELEMENT: Final = re.compile(rf"(?:{_QUOTED}|[^,\"])+")
"""What stands between two commas that are not quoted."""
_PARAMETER: Final = re.compile(rf"({_WORD})\s*=\s*({_QUOTED}|[^\s,\"]*)")
_SCHEME: Final = re.compile(rf"({_WORD})(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Basic:
    """Name and password in each request (RFC 7617)."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token of whoever gives tokens (https://distribution.github.io/distribution/spec/auth/token/).

    Attributes:
        realm: URL that gives tokens.
        service: whom a token is for; empty where not said.
        scope: what a token must allow; empty where not said.
    """

    realm: str
    service: str
    scope: str


def read_challenge(headers: HTTPHeaderDict) -> Basic | Bearer | None:
    """Read the challenges of a 401; a token where both are offered, None where there is none that we know."""
    found: Basic | Bearer | None = None
    for header in headers.getlist("WWW-Authenticate"):
        for scheme, fields in _read_challenges(header):
            if scheme == "bearer" and fields.get("realm"):
                return Bearer(fields["realm"], fields.get("service", ""), fields.get("scope", ""))
            if scheme == "basic":
                found = Basic()
    return found


def _read_challenges(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Read every challenge of a header: scheme in lower case, and its parameters."""
    scheme, fields = "", dict[str, str]()
    for element in map(str.strip, _ELEMENT.findall(header[:HEADER_CHARACTERS])):
        if parameter := _PARAMETER.fullmatch(element):
            fields[parameter[1].lower()] = _unquote(parameter[2])
        elif begun := _SCHEME.fullmatch(element):
            if scheme:
                yield scheme, fields
            scheme, fields = begun[1].lower(), {}
            if first := _PARAMETER.fullmatch((begun[2] or "").strip()):
                fields[first[1].lower()] = _unquote(first[2])
    if scheme:
        yield scheme, fields


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text
