"""Claims: which run gives a tag its meaning at the moment, written beside the records. Pure.

Writing is compare-and-swap (resourceVersion), so of two that claim one tag one is first. Clocks of machines differ: a
claim is over when it is long past, or when whoever waits has seen it unchanged for its whole time (`cluster.hold`).
"""

from datetime import datetime, timedelta
from typing import Final

from patchgate.configmaps.claims import Claim, put_claims, read_claims
from patchgate.configmaps.record_book import RecordBook
from patchgate.errors import StoreError
from patchgate.limits import CLOCK_SKEW_SECONDS
from patchgate.patcher.record_books import Books, put_book

_LONG_PAST: Final = timedelta(seconds=CLOCK_SKEW_SECONDS)


def claim_tag(
    books: Books, reference: str, claim: Claim, over: Claim | None, now: datetime
) -> tuple[Books, Claim | None]:
    """Put a claim on `REPO:TAG`, unless another holder has one that is not `over`: give that one then.

    Claims that are long past go.

    Raises:
        StoreError: the ConfigMap of the claims cannot be read.
    """
    book = _find_book(books)
    claims = {key: each for key, each in read_claims(book).items() if not _is_long_past(each, now)}
    there = claims.get(reference)
    if there and there.holder != claim.holder and there != over:
        return books, there
    return put_book(books, put_claims(book, claims | {reference: claim})), None


def release_tag(books: Books, reference: str, holder: str) -> tuple[Books, None]:
    """Drop a claim, where it is this holder's still.

    Raises:
        StoreError: the ConfigMap of the claims cannot be read.
    """
    book = _find_book(books)
    claims = read_claims(book)
    claim = claims.pop(reference, None)
    return (put_book(books, put_claims(book, claims)) if claim and claim.holder == holder else books), None


def _find_book(books: Books) -> RecordBook:
    """Find the book of the claims: always the first, so that all look at one place, whatever else they know of."""
    if books[0].fault:
        raise StoreError(f"{books[0].name} {books[0].fault}")
    return books[0]


def _is_long_past(claim: Claim, now: datetime) -> bool:
    return now - claim.expires > _LONG_PAST
