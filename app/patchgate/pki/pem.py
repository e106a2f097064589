"""Reads certificates and keys from PEM (RFC 7468), and tells what belongs together."""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from patchgate.limits import PEM_BYTES

_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_KEY: Final = re.compile(rb"-----BEGIN (EC |)PRIVATE KEY-----.+?-----END \1PRIVATE KEY-----\n?", re.DOTALL)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for PEM of whatever kind."""
_CHAIN_CERTIFICATES: Final = 10
"""Of one chain: a leaf, a few intermediates, a root."""


def read_certificates(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read every certificate, each once, in order; none where one of them cannot be read."""
    if len(pem) > PEM_BYTES:
        return ()
    try:
        return tuple(dict.fromkeys(x509.load_pem_x509_certificates(pem)))
    except _UNREADABLE:
        return ()


def read_trusted(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read every certificate that can be read, each once, in order: one that nobody can use harms no other."""
    blocks = _CERTIFICATE.findall(pem[:PEM_BYTES])
    return tuple(dict.fromkeys(certificate for block in blocks for certificate in read_certificates(block)))


def read_keys(pem: bytes) -> tuple[ec.EllipticCurvePrivateKey, ...]:
    """Read every key on a curve, in order; what is none is left out."""
    keys = []
    for match in _KEY.finditer(pem[:PEM_BYTES]):
        try:
            key = load_pem_private_key(match[0], None)
        except _UNREADABLE:
            continue
        if isinstance(key, ec.EllipticCurvePrivateKey):
            keys.append(key)
    return tuple(keys)


def write_certificates(certificates: Iterable[x509.Certificate]) -> bytes:
    """Write certificates as PEM, one behind the other."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def fits(certificate: x509.Certificate, key_pem: bytes) -> bool:
    """Tell whether a key of any kind is the certificate's."""
    try:
        return load_pem_private_key(key_pem, None).public_key() == certificate.public_key()
    except _UNREADABLE:
        return False


def is_of(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    """Tell whether a key is the certificate's."""
    try:
        return key.public_key() == certificate.public_key()
    except _UNREADABLE:
        return False


def is_ca(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate may sign others (RFC 5280, section 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except _UNREADABLE:
        return False


def find_issuers(chain: Sequence[x509.Certificate], trusted: Iterable[x509.Certificate]) -> frozenset[x509.Certificate]:
    """Find the trusted certificates that a chain, leaf first, leads to; one that is trusted itself leads to itself."""
    known, found, last = frozenset(trusted), set[x509.Certificate](), chain[0]
    for certificate in chain[1:_CHAIN_CERTIFICATES]:
        found |= _sign(known, last)
        if not _has_signed(certificate, last):
            break
        last = certificate
    return frozenset(found | _sign(known, last) | ({chain[0]} & known))


def list_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """List the DNS names and addresses that a certificate is good for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except _UNREADABLE:
        return ()
    return (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Tell whether a certificate is good for a name or address (RFC 9525; `*` is one whole first label)."""
    names = [each.lower() for each in list_names(certificate)]
    try:
        return str(ip_address(name)) in names
    except ValueError:
        wanted = name.lower()
        return wanted in names or f"*.{wanted.partition('.')[2]}" in names


def _sign(trusted: Iterable[x509.Certificate], certificate: x509.Certificate) -> set[x509.Certificate]:
    return {each for each in trusted if _has_signed(each, certificate)}


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except _UNREADABLE:
        return False
    return True
