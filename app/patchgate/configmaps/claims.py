"""The field `claims` of `records.json`: which run gives a tag its meaning at the moment. The gate ignores it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import msgspec

from patchgate.configmaps.fields import SchemaModel, Time, convert_to_utc, say_time
from patchgate.configmaps.record_book import RecordBook

_FIELD: Final = "claims"


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds a tag.

    Attributes:
        holder: a name that no other has; it begins with the machine's, for people.
        expires: until when, by the holder's clock; aware UTC, whole seconds. It is renewed while it is held.
    """

    holder: str
    expires: datetime


class _ClaimSchema(SchemaModel, frozen=True):
    holder: str
    expires: Time


def read_claims(book: RecordBook) -> dict[str, Claim]:
    """Read the claims of a ConfigMap, `REPO:TAG` → claim; one that cannot be read holds nothing."""
    field = book.other_fields.get(_FIELD)
    claims = {}
    for reference, value in field.items() if isinstance(field, dict) else ():
        try:
            schema = msgspec.convert(value, _ClaimSchema)
            claims[reference] = Claim(schema.holder, convert_to_utc(schema.expires, "expires"))
        except ValueError:
            continue
    return claims


def put_claims(book: RecordBook, claims: Mapping[str, Claim]) -> RecordBook:
    """Give the book with these claims in the place of all others."""
    others = {key: value for key, value in book.other_fields.items() if key != _FIELD}
    field: dict[str, Any] = {
        key: {"holder": each.holder, "expires": say_time(each.expires)} for key, each in sorted(claims.items())
    }
    return replace(book, other_fields=others | ({_FIELD: field} if field else {}))
