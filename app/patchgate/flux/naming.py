"""Names of Flux's objects: labels (RFC 1123) that stay the same whatever else is listed, and that never meet.

A name is what people would call the thing, then eight hexadecimal digits of the whole of it: `myapp/api` of two
registries, or the tags `1.4.2` and `1-4-2`, would share a name otherwise.
"""

import hashlib
import re
from typing import Final

from patchgate.limits import NAMESPACE_CHARACTERS

_NO_LABEL: Final = re.compile(r"[^a-z0-9]+")
_HASH_DIGITS: Final = 8


def name_repository(repository: str) -> str:
    """Name the ImageRepository of a repository, such as `myapp-api-1c9e5f02`."""
    _, _, path = repository.partition("/")
    return _make_label(path, repository)


def name_policy(repository: str, tag: str) -> str:
    """Name the ImagePolicy of a source tag whose patched images are in the repository, such as `api-1-4-2-7b6f30aa`."""
    return _make_label(f"{repository.rpartition('/')[2]}-{tag}", f"{repository}:{tag}")


def _make_label(text: str, whole: str) -> str:
    ending = hashlib.sha256(whole.encode()).hexdigest()[:_HASH_DIGITS]
    readable = _NO_LABEL.sub("-", text.lower())[: NAMESPACE_CHARACTERS - len(ending) - 1]
    return f"{readable.strip('-')}-{ending}".lstrip("-")
