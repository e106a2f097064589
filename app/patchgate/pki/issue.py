"""Issues a CA and leaves, ECDSA P-256, with the extensions that RFC 5280 (section 4.2) wants of each."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from patchgate.pki.lives import LIVES, Lives

_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:\*\.)?(?:[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)
_LEAF_NAME: Final = "patchgate"
"""For people: clients look at the alternative names alone (RFC 9525)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PKCS #8 PEM, not encrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def issue_ca(common_name: str, now: datetime, lives: Lives = LIVES) -> Pair:
    """Issue a CA that signs leaves and no further CA. now: aware UTC."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        _begin(name, name, key, now - lives.backdate, now + lives.ca)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_ca=True), critical=True)
    )
    return Pair(builder.sign(key, hashes.SHA256()), key)


def issue_server_leaf(ca: Pair, names: Iterable[str], now: datetime, lives: Lives = LIVES) -> Pair:
    """Issue a server's leaf. names: DNS names (ASCII) and IP addresses that it serves. now: aware UTC.

    It never outlives its CA.
    """
    return _issue_leaf(ca, names, now, lives, ExtendedKeyUsageOID.SERVER_AUTH)


def issue_client_leaf(ca: Pair, names: Iterable[str], now: datetime, lives: Lives = LIVES) -> Pair:
    """Issue a client's leaf, such as BuildKit's mTLS asks for. names: who the client is; the first is the common name.

    It never outlives its CA. now: aware UTC.
    """
    return _issue_leaf(ca, names, now, lives, ExtendedKeyUsageOID.CLIENT_AUTH)


def _issue_leaf(ca: Pair, names: Iterable[str], now: datetime, lives: Lives, usage: x509.ObjectIdentifier) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    listed = list(dict.fromkeys(names))
    common_name = _LEAF_NAME if usage == ExtendedKeyUsageOID.SERVER_AUTH else listed[0]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    ends = min(now + lives.leaf, ca.certificate.not_valid_after_utc)
    builder = (
        _begin(name, ca.certificate.subject, key, now - lives.backdate, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_alternative_name, listed)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
    )
    return Pair(builder.sign(ca.key, hashes.SHA256()), key)


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def is_name(text: str) -> bool:
    """Tell whether a leaf can be for it: an IP address, or a DNS name (RFC 1123), perhaps with `*.` before it."""
    try:
        ip_address(text)
    except ValueError:
        return bool(_DNS_NAME.fullmatch(text))
    return True


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
