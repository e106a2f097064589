"""What a Secret of certificates holds, as values: as it is written, and as it is understood. Reads no Secret itself.

`tls.crt`, `tls.key` and `ca.crt` are what everybody writes (Kubernetes documentation, "TLS Secrets"; cert-manager). Our
own Secret holds two more: `ca.key`, the keys of the CAs that may sign, and `ca.changed`, since when the leaf is the
newest CA's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from patchgate.pki.issue import Pair
from patchgate.pki.lives import is_valid
from patchgate.pki.pem import covers, find_issuers, fits, is_ca, is_of, read_certificates, read_keys, read_trusted

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
CA: Final = "ca.crt"
CA_KEY: Final = "ca.key"
CHANGED: Final = "ca.changed"


@dataclass(frozen=True, slots=True)
class Contents:
    """A Secret's values, PEM but for the last; empty where there is none.

    Attributes:
        certificate: `tls.crt`, the leaf and what lies between it and its CA.
        key: `tls.key`, the leaf's.
        ca: `ca.crt`, all that is to be trusted.
        ca_keys: `ca.key`, of those that sign.
        changed: `ca.changed`, RFC 3339.
    """

    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)  # no log, no traceback may show it
    ca: bytes = b""
    ca_keys: bytes = field(default=b"", repr=False)
    changed: bytes = b""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A pair that can be served.

    Attributes:
        chain: the leaf, and what lies between it and its CA.
        certificate_pem: all of it.
        key_pem: the leaf's key.
    """

    chain: tuple[x509.Certificate, ...]
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)

    @property
    def expires(self) -> datetime:
        """When it does, aware UTC."""
        return self.chain[0].not_valid_after_utc

    @property
    def serial(self) -> str:
        """Its serial number, for people."""
        return f"{self.chain[0].serial_number:x}"


@dataclass(frozen=True, slots=True)
class Held:
    """What a Secret's values are good for.

    Attributes:
        leaf: valid, for the names asked for, with its own key, of a CA in `trusted` if there are any; None if not.
        fault: why there is no leaf.
        trusted: the certificates of `ca.crt` that have not expired.
        authorities: CAs among them with their keys, valid now, the newest first.
        changed: since when the leaf is the newest CA's; None where that is not known.
    """

    leaf: Leaf | None
    fault: str
    trusted: tuple[x509.Certificate, ...]
    authorities: tuple[Pair, ...]
    changed: datetime | None


def read_contents(contents: Contents, names: Iterable[str], now: datetime) -> Held:
    """Understand a Secret's values; nothing in them is an error.

    names: that the leaf must be good for.
    now: aware UTC.
    """
    trusted = tuple(each for each in read_trusted(contents.ca) if now <= each.not_valid_after_utc)
    chain = read_certificates(contents.certificate)
    fault = _find_fault(contents, chain, trusted, names, now)
    leaf = None if fault else Leaf(chain, contents.certificate, contents.key)
    return Held(leaf, fault, trusted, _find_authorities(trusted, contents.ca_keys, now), _read_time(contents.changed))


def _find_fault(
    contents: Contents,
    chain: tuple[x509.Certificate, ...],
    trusted: tuple[x509.Certificate, ...],
    names: Iterable[str],
    now: datetime,
) -> str:
    if not chain:
        return (
            f"{CERTIFICATE} is empty" if not contents.certificate.strip() else f"{CERTIFICATE} is no certificate in PEM"
        )
    if not fits(chain[0], contents.key):
        return f"{KEY} is not the key of {CERTIFICATE}"
    if contents.ca.strip() and not find_issuers(chain, trusted):
        return f"{CERTIFICATE} is of no CA in {CA}"
    return _find_limit(chain[0], names, now)


def _find_limit(leaf: x509.Certificate, names: Iterable[str], now: datetime) -> str:
    missing = [name for name in names if not covers(leaf, name)]
    if now > leaf.not_valid_after_utc:
        return f"{CERTIFICATE} expired on {leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
    if now < leaf.not_valid_before_utc:
        return f"{CERTIFICATE} is not valid before {leaf.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ}"
    if missing:
        return f"{CERTIFICATE} is not good for {', '.join(missing)}"
    return ""


def _find_authorities(trusted: Iterable[x509.Certificate], keys_pem: bytes, now: datetime) -> tuple[Pair, ...]:
    keys = read_keys(keys_pem)
    found = [
        Pair(certificate, key)
        for certificate in trusted
        if is_ca(certificate) and is_valid(certificate, now)
        for key in keys
        if is_of(certificate, key)
    ]
    return tuple(sorted(found, key=lambda pair: pair.certificate.not_valid_before_utc, reverse=True))


def _read_time(text: bytes) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.decode().strip())
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo else None
