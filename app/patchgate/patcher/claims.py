"""Claims: which run gives a tag its meaning at the moment, written beside the records. Pure.

Writing is compare-and-swap (resourceVersion), so of two that claim one tag one is first. Clocks of machines differ: a
claim is over when it is long past, or when whoever waits has seen it unchanged for its whole time (`cluster.hold`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from patchgate.configmaps.claims import Claim, put_claims, read_claims
from patchgate.configmaps.record_book import RecordBook, write_book
from patchgate.errors import StoreError
from patchgate.limits import CLOCK_SKEW_SECONDS
from patchgate.patcher.record_books import Edit, fit, list_keys

_LONG_PAST: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)


def find_claim(books: Sequence[RecordBook], reference: str, now: datetime) -> Claim | None:
    """Find the claim on `REPO:TAG`; none where it is long past.

    Raises:
        StoreError: the ConfigMap of the claims cannot be read.
    """
    claim = read_claims(_find_book(books)).get(reference)
    return claim if claim and not _is_long_past(claim, now) else None


def put_claim(books: Sequence[RecordBook], reference: str, claim: Claim, now: datetime) -> Edit:
    """Put a claim in the place of any other; those that are long past go.

    Raises:
        StoreError: there is no room, or the ConfigMap cannot be read.
    """
    claims = read_claims(_find_book(books))
    return _edit(
        books, {key: each for key, each in claims.items() if not _is_long_past(each, now)} | {reference: claim}
    )


def drop_claim(books: Sequence[RecordBook], reference: str, holder: str) -> Edit | None:
    """Drop a claim; None where it is not this holder's any more.

    Raises:
        StoreError: the ConfigMap of the claims cannot be read.
    """
    claims = read_claims(_find_book(books))
    claim = claims.pop(reference, None)
    return _edit(books, claims) if claim and claim.holder == holder else None


def _find_book(books: Sequence[RecordBook]) -> RecordBook:
    """Find the book of the claims: always the first, so that all look at one place, whatever else they know of."""
    if books[0].fault:
        raise StoreError(f"{books[0].name} {books[0].fault}")
    return books[0]


def _is_long_past(claim: Claim, now: datetime) -> bool:
    return now - claim.expires > _LONG_PAST


def _edit(books: Sequence[RecordBook], claims: Mapping[str, Claim]) -> Edit:
    book = _find_book(books)
    return fit(book, write_book(put_claims(book, claims), [], keys_elsewhere=list_keys(books, book)))
