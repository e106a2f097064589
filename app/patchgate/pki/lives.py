"""How long certificates live, and when they are renewed. Asks no clock of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from patchgate.limits import BACKDATE_SECONDS, CA_DAYS, LEAF_DAYS, RENEW_SHARE, SETTLE_SECONDS


@dataclass(frozen=True, slots=True)
class Lives:
    """Lengths of life.

    Attributes:
        ca: of our own CA.
        leaf: of a leaf.
        backdate: how long before its making a certificate is valid.
        settle: from reading a caBundle back until a leaf may rest on what came into it.
    """

    ca: timedelta = timedelta(days=CA_DAYS)
    leaf: timedelta = timedelta(days=LEAF_DAYS)
    backdate: timedelta = timedelta(seconds=BACKDATE_SECONDS)
    settle: timedelta = timedelta(seconds=SETTLE_SECONDS)


LIVES: Final = Lives()


def is_valid(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether a certificate is valid now (aware UTC)."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether a certificate is to be renewed: two thirds of its life are over. now: aware UTC."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begins + (ends - begins) * RENEW_SHARE
