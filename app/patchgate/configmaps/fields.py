"""Field types that several ConfigMaps share: times, digests, references; each refuses with what to write instead."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Final, TypeAlias, TypeVar, overload

from msgspec import Meta, Struct, structs

from patchgate.errors import InvalidReferenceError
from patchgate.limits import CLOCK_SKEW_SECONDS, SHOWN_VALUE_CHARACTERS
from patchgate.policy import verdict
from patchgate.policy.reference import Reference
from patchgate.policy.verdict import show
from patchgate.validation import DIGEST_PATTERN

_SKEW: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)

Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""An RFC 3339 time; in UTC after `settle`."""
Digest: TypeAlias = Annotated[str, Meta(pattern=DIGEST_PATTERN)]
Text: TypeAlias = Annotated[str, Meta(min_length=1)]


class SchemaModel(Struct, frozen=True):
    """Unknown fields are ignored: a newer patcher may write more.

    Attributes:
        FORGETS: fields with a time that is None where it is ahead: for what is compared, as two that are taken for now
            would be equal.
    """

    FORGETS: ClassVar[frozenset[str]] = frozenset()


_T = TypeVar("_T", bound=SchemaModel)


def settle(value: _T, now: datetime, ahead: list[str]) -> _T:
    """Give a value of a schema with its times, and those within it, as `settle_time` gives each."""
    changes: dict[str, object] = {}
    for field in value.__struct_fields__:
        old = getattr(value, field)
        if isinstance(old, datetime):
            is_ahead = old - now > _SKEW and field in value.FORGETS
            settled = settle_time(old, now, ahead, field)
            changes[field] = None if is_ahead else settled
        elif isinstance(old, SchemaModel):
            changes[field] = settle(old, now, ahead)
        elif isinstance(old, tuple) and old and isinstance(old[0], SchemaModel):
            changes[field] = tuple(settle(each, now, ahead) for each in old)
    return structs.replace(value, **changes) if changes else value


def settle_time(time: datetime, now: datetime, ahead: list[str], field: str = "") -> datetime:
    """Give a time in UTC. One ahead of the reader's clock is taken for now, and noted in `ahead`.

    A record that a wrong clock wrote must not be lost: its image would be as if never seen.

    Raises:
        ValueError: it is outside the calendar.
    """
    if time.tzinfo is not UTC:
        time = convert_to_utc(time, field)
    if time - now <= _SKEW:
        return time
    fault = f"{say_time(time)} is ahead of this machine's clock"
    ahead.append(f"{field}: {fault}" if field else fault)
    return now.replace(microsecond=0)


def convert_to_utc(time: datetime, field: str) -> datetime:
    """Give a time in UTC.

    Raises:
        ValueError: it is outside the calendar.
    """
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{field}: is outside the calendar" if field else "is outside the calendar") from error


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
