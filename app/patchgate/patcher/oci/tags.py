"""Reads a page of a repository's tags, and where the next one is (OCI distribution specification 1.1, "Listing Tags").

A page is read as it is: tags are found in it one by one, so that a page of many megabytes costs its bytes alone.
Google's registries add a map of every manifest to each page, which is passed over. Pure.
"""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from patchgate.errors import RegistryError

LINK_CHARACTERS: Final = 8192
"""Of a Link header, all of them together: a next page's has some hundred."""
_TAG: Final = re.compile(rb'"([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"')
_NEXT: Final = re.compile(r"<([^<>]*)>([^<>]*)")
_IS_NEXT: Final = re.compile(r";\s*rel\s*=\s*\"?next\"?\s*(?:[;,]|$)", re.IGNORECASE)


class _Page(msgspec.Struct):
    tags: msgspec.Raw = msgspec.Raw(b"null")  # null: a repository without tags


def read_tags(body: bytes, place: str) -> Iterator[str]:
    """Read the tags of a page, one by one; what is no tag is left out.

    Raises:
        RegistryError: it is no page of tags. At the call, and not while the tags are read.
    """
    try:
        tags = bytes(msgspec.json.decode(body, type=_Page).tags).strip()
    except (msgspec.DecodeError, RecursionError):
        tags = b""
    if tags != b"null" and not tags.startswith(b"["):
        raise RegistryError(f"{place} does not list its tags as a registry does")
    return (match[1].decode("ascii") for match in _TAG.finditer(tags))


def find_next_page(path: str, link: str) -> str | None:
    """Find the path and query of the page after this one; None where it is the last.

    The next page is asked of the same host and path, with the link's query alone: a registry behind a proxy names
    itself by another host or path (Artifactory, Nexus), and another host must not get our credentials.

    path: of this page. link: the Link header (RFC 8288).

    Raises:
        RegistryError: the header is longer than any that names a page.
    """
    if len(link) > LINK_CHARACTERS:
        raise RegistryError(f"a Link header of {len(link)} characters names no page of tags")
    for target, parameters in _NEXT.findall(link):
        if _IS_NEXT.search(parameters):
            return f"{path.partition('?')[0]}?{urlsplit(target).query}"
    return None
