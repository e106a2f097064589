"""The tags that the patcher makes: `TAG-candidate-YYYYMMDD[.NN]` and `TAG-patched-YYYYMMDD[.NN]`.

Pure. The day's first tag has no number; `.02`, `.03` … come behind the date, two digits, so that Flux's numerical
policy over the date and the number orders them. Which of them is free is the registry's part: a tag that exists is
never given another meaning, the next one is tried.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from patchgate.errors import ImageError
from patchgate.limits import TAG_CHARACTERS, TAGS_OF_A_DAY

_CANDIDATE: Final = "candidate"
_PATCHED: Final = "patched"
_CANDIDATE_TAG: Final = re.compile(rf"(.*)-{_CANDIDATE}-[0-9]{{8}}(?:\.[0-9]{{2}})?")
_CHECKSUM_CHARACTERS: Final = 8
"""Of a long tag that is shortened: two such tags of one repository get different names."""
_OTHER_NAMES: Final = {"arm64": ("arm64-v8",), "arm-v7": ("arm",)}
_LONGEST_ENDING: Final = f"-{_CANDIDATE}-YYYYMMDD.NN"


def name_candidates(tag: str, now: datetime, platforms: Iterable[str] = ()) -> Iterator[str]:
    """Name the tags that a candidate of the source tag may get on this UTC day, in the order to try them.

    platforms: of an index; each name has room for the tags that Copa pushes beside it (`name_platform_tags`).

    Raises:
        ImageError: the source tag is too long; at the iterator's end, every one was taken.
    """
    _check_length(tag)
    beside = max((len(name) for name in name_platform_tags("", platforms)), default=0)
    return _name_tags(_shorten(tag, TAG_CHARACTERS - len(_LONGEST_ENDING) - beside), _CANDIDATE, now)


def name_patched(tag: str, now: datetime) -> Iterator[str]:
    """Name the tags that a verified image of the source tag may get on this UTC day, in the order to try them.

    Raises:
        ImageError: the source tag is too long; at the iterator's end, every one was taken.
    """
    _check_length(tag)
    return _name_tags(tag, _PATCHED, now)


def name_platform_tags(tag: str, platforms: Iterable[str]) -> list[str]:
    """Name the tags that Copa pushes beside an index's own, one a platform: `TAG-amd64`, `TAG-arm-v7` (copacetic 0.14).

    Platforms are normalised: `linux/arm64` may be `linux/arm64/v8` in the index, `linux/arm/v7` be `linux/arm`.
    """
    names = [platform.partition("/")[2].replace("/", "-") for platform in platforms]
    return [f"{tag}-{name}" for each in names for name in (each, *_OTHER_NAMES.get(each, ()))]


def is_candidate(tag: str, source_tag: str) -> bool:
    """Tell whether a tag is one that a candidate of the source tag may have had, on whatever day."""
    match = _CANDIDATE_TAG.fullmatch(tag)
    return match is not None and (match[1] == source_tag or match[1] == _shorten(source_tag, len(match[1])))


def _check_length(tag: str) -> None:
    """Refuse a source tag that leaves no room for our ending, before anything is built."""
    longest = TAG_CHARACTERS - len(_LONGEST_ENDING)
    if len(tag) > longest:
        raise ImageError(f"its tag has {len(tag)} characters and at most {longest} leave room for {_LONGEST_ENDING}")


def _shorten(tag: str, characters: int) -> str:
    """Give the tag, or its beginning and a checksum of it where it is longer."""
    if len(tag) <= characters:
        return tag
    checksum = hashlib.sha256(tag.encode()).hexdigest()[:_CHECKSUM_CHARACTERS]
    return f"{tag[: characters - _CHECKSUM_CHARACTERS - 1]}-{checksum}"


def _name_tags(tag: str, word: str, now: datetime) -> Iterator[str]:
    first = f"{tag}-{word}-{now.astimezone(UTC):%Y%m%d}"
    yield first
    for number in range(2, TAGS_OF_A_DAY + 1):
        yield f"{first}.{number:02d}"
    raise ImageError(f"{first}.{TAGS_OF_A_DAY} and all before it are taken: delete some, or wait for tomorrow")
