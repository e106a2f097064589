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
from patchgate.policy.reference import is_tag

_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_NEXT: Final = re.compile(r"<([^>]*)>\s*((?:;\s*[^,;]*)*)")
_IS_NEXT: Final = re.compile(r";\s*rel\s*=\s*\"?next\"?\s*(?:;|$)", re.IGNORECASE)


class _Page(msgspec.Struct):
    tags: msgspec.Raw = msgspec.Raw(b"null")  # null: a repository without tags


def read_tags(body: bytes, place: str) -> Iterator[str]:
    """Read the tags of a page, one by one; what is no tag is left out.

    Raises:
        RegistryError: it is no page of tags. At the call, and not while the tags are read.
    """
    try:
        tags = bytes(msgspec.json.decode(body, type=_Page).tags).strip()
    except msgspec.DecodeError:
        tags = b""
    if tags != b"null" and not tags.startswith(b"["):
        raise RegistryError(f"{place} does not list its tags as a registry does")
    found = (match[1].decode(errors="replace") for match in _STRING.finditer(tags))
    return filter(is_tag, found)


def find_next_page(path: str, link: str) -> str | None:
    """Find the path and query of the page after this one; None where it is the last.

    The next page is asked of the same host and path, with the link's query alone: a registry behind a proxy names
    itself by another host or path (Artifactory, Nexus), and another host must not get our credentials.

    path: of this page. link: the Link header (RFC 8288).
    """
    for target, parameters in _NEXT.findall(link):
        if _IS_NEXT.search(parameters):
            return f"{path.partition('?')[0]}?{urlsplit(target).query}"
    return None
