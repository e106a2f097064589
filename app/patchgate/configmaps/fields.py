"""Field types that several ConfigMaps share: times, digests, references; each refuses with what to write instead."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, overload

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ValidationInfo

from patchgate.errors import InvalidReferenceError
from patchgate.limits import CLOCK_SKEW_SECONDS, SHOWN_VALUE_CHARACTERS
from patchgate.policy import verdict
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


def _is_ahead(time: datetime, info: ValidationInfo) -> bool:
    """Tell whether a time is ahead of the reader's clock, and add that to `ahead`; where nobody asks, refuse it."""
    context = info.context or {}
    now: datetime = context["now"]
    if time - now <= _SKEW:
        return False
    fault = f"{say_time(time)} is ahead of this machine's clock"
    ahead: list[str] | None = context.get("ahead")
    if ahead is None:
        raise ValueError(fault)
    ahead.append(f"{info.field_name}: {fault}" if info.field_name else fault)
    return True


def _take_for_now(time: datetime, info: ValidationInfo) -> datetime:
    now: datetime = (info.context or {})["now"]
    return now.replace(microsecond=0) if _is_ahead(time, info) else time


def _forget(time: datetime, info: ValidationInfo) -> datetime | None:
    return None if _is_ahead(time, info) else time


def _check_digest(digest: str) -> str:
    if not is_digest(digest):
        raise ValueError("must be sha256: and 64 lower-case hexadecimal digits")
    return digest


Time = Annotated[AwareDatetime, BeforeValidator(_check_text), AfterValidator(_convert_to_utc)]
"""An RFC 3339 time, as aware UTC."""
PastTime = Annotated[Time, AfterValidator(_take_for_now)]
"""A time that has been: needs the context `{"now": datetime}`, with a list `ahead` where one that is still to come is
taken for now and noted there: a record that a wrong clock wrote must not be lost, or its image is as if never seen."""
KnownTime = Annotated[Time, AfterValidator(_forget)]
"""A time that has been, None where it is ahead: for what is compared, as two that are taken for now would be equal."""
Digest = Annotated[str, AfterValidator(_check_digest)]


@overload
def say_time(time: datetime) -> str: ...
@overload
def say_time(time: datetime | None) -> str | None: ...
def say_time(time: datetime | None) -> str | None:
    """Say a UTC time as records have it; None stays so."""
    return verdict.say_time(time) if time else None


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
