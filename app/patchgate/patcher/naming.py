"""The tags that the patcher makes: `TAG-candidate-YYYYMMDD[.NN]` and `TAG-patched-YYYYMMDD[.NN]`.

Pure. The day's first tag has no number; `.02`, `.03` … come behind the date, two digits, so that Flux's numerical
policy over the date and the number orders them. Which of them is free is the registry's part: a tag that exists is
never given another meaning, the next one is tried.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from patchgate.errors import ImageError
from patchgate.limits import TAG_CHARACTERS, TAGS_OF_A_DAY

_CANDIDATE: Final = "candidate"
_PATCHED: Final = "patched"
_DATED: Final = re.compile(r"[0-9]{8}(?:\.[0-9]{2})?")
_OTHER_NAMES: Final = {"arm64": ("arm64-v8",), "arm-v7": ("arm",)}
_LONGEST_ENDING: Final = f"-{_CANDIDATE}-YYYYMMDD.NN"


def name_candidates(tag: str, now: datetime) -> Iterator[str]:
    """Name the tags that a candidate of the source tag may get on this UTC day, in the order to try them.

    Raises:
        ImageError: the source tag is too long; at the iterator's end, every one was taken.
    """
    return _name_tags(tag, _CANDIDATE, now)


def name_patched(tag: str, now: datetime) -> Iterator[str]:
    """Name the tags that a verified image of the source tag may get on this UTC day, in the order to try them.

    Raises:
        ImageError: the source tag is too long; at the iterator's end, every one was taken.
    """
    return _name_tags(tag, _PATCHED, now)


def name_platform_tags(tag: str, platforms: Iterable[str]) -> list[str]:
    """Name the tags that Copa pushes beside an index's own, one a platform: `TAG-amd64`, `TAG-arm-v7` (copacetic 0.14).

    Platforms are normalised: `linux/arm64` may be `linux/arm64/v8` in the index, `linux/arm/v7` be `linux/arm`.
    """
    names = [platform.partition("/")[2].replace("/", "-") for platform in platforms]
    return [f"{tag}-{name}" for each in names for name in (each, *_OTHER_NAMES.get(each, ()))]


def is_candidate(tag: str, source_tag: str) -> bool:
    """Tell whether a tag is one that a candidate of the source tag may have had, on whatever day."""
    return _DATED.fullmatch(tag.removeprefix(f"{source_tag}-{_CANDIDATE}-")) is not None


def _name_tags(tag: str, word: str, now: datetime) -> Iterator[str]:
    longest = TAG_CHARACTERS - len(_LONGEST_ENDING)
    if len(tag) > longest:
        raise ImageError(f"its tag has {len(tag)} characters and at most {longest} leave room for {_LONGEST_ENDING}")
    first = f"{tag}-{word}-{now.astimezone(UTC):%Y%m%d}"
    yield first
    for number in range(2, TAGS_OF_A_DAY + 1):
        yield f"{first}.{number:02d}"
    raise ImageError(f"{first}.{TAGS_OF_A_DAY} and all before it are taken: delete some, or wait for tomorrow")
