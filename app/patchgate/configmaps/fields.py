"""Field types that several ConfigMaps share: times, digests, references; each refuses with what to write instead."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ValidationInfo

from patchgate.errors import InvalidReferenceError
from patchgate.limits import CLOCK_SKEW_SECONDS, SHOWN_VALUE_CHARACTERS
from patchgate.policy.reference import Reference, is_digest
from patchgate.policy.verdict import show

_BEGINNING: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
"""Of an RFC 3339 time: pydantic would take a number of seconds in quotes as well."""
_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)


def _check_text(value: object) -> object:
    if not isinstance(value, str) or not _BEGINNING.match(value):
        raise ValueError("must be a text in RFC 3339, such as 2026-05-09T06:04:52Z")
    return value


def _convert_to_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the calendar") from error


def _check_not_ahead(time: datetime, info: ValidationInfo) -> datetime:
    """Refuse a time ahead of the clock that the reader was given (`context={"now": …}`)."""
    now: datetime = (info.context or {})["now"]
    if time - now > _SKEW:
        raise ValueError(f"{time:%Y-%m-%dT%H:%M:%SZ} is ahead of this machine's clock")
    return time


def _check_digest(digest: str) -> str:
    if not is_digest(digest):
        raise ValueError("must be sha256: and 64 lower-case hexadecimal digits")
    return digest


Time = Annotated[AwareDatetime, BeforeValidator(_check_text), AfterValidator(_convert_to_utc)]
"""An RFC 3339 time, as aware UTC."""
PastTime = Annotated[Time, AfterValidator(_check_not_ahead)]
"""A time that has been: needs the context `{"now": datetime}`."""
Digest = Annotated[str, AfterValidator(_check_digest)]


def read_tagged(text: str) -> Reference:
    """Read `REPO:TAG`.

    Raises:
        ValueError: it is anything else.
    """
    try:
        reference = Reference.parse_bare(text)
    except InvalidReferenceError as error:
        raise ValueError(f"{show(text, SHOWN_VALUE_CHARACTERS)!r}: {error}") from error
    if reference.tag is None or reference.digest:
        raise ValueError(f"{show(text, SHOWN_VALUE_CHARACTERS)!r} is not REPO:TAG")
    return reference
