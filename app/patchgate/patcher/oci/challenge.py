"""Reads what a registry asks for before it answers: the challenge of a 401 (RFC 9110, section 11.6.1). Pure."""

import urllib.request
from dataclasses import dataclass

from urllib3 import HTTPHeaderDict


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
    """Read the challenge of a 401; a token where both are offered, None where there is none that we know."""
    found: Basic | Bearer | None = None
    for header in headers.getlist("WWW-Authenticate"):
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() == "bearer":
            fields = _read_fields(rest)
            if "realm" in fields:
                return Bearer(fields["realm"], fields.get("service", ""), fields.get("scope", ""))
        elif scheme.lower() == "basic":
            found = Basic()
    return found


def _read_fields(text: str) -> dict[str, str]:
    pairs = (field.partition("=") for field in urllib.request.parse_http_list(text))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}
