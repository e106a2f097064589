"""Certificates in a directory that keeps its CA's key: issued, and verified. For development, and BuildKit's mTLS."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from patchgate.errors import CertificateError
from patchgate.limits import SHOWN_VALUE_CHARACTERS
from patchgate.pki.contents import CA, CA_KEY, CERTIFICATE, KEY, Contents, read_contents
from patchgate.pki.files import write_certificate, write_key
from patchgate.pki.issue import Pair, is_name, issue_ca, issue_client_leaf, issue_server_leaf
from patchgate.pki.lives import Lives
from patchgate.pki.pem import find_issuers
from patchgate.policy.verdict import show

_CA_NAME: Final = "patchgate development CA"


@dataclass(frozen=True, slots=True)
class Role:
    """Whom a leaf is for.

    Attributes:
        name: for people.
        certificate: the file of the leaf.
        key: the file of its key.
        usage: what it is good for (RFC 5280, section 4.2.1.12).
    """

    name: str
    certificate: str
    key: str
    usage: x509.ObjectIdentifier


SERVER: Final = Role("server", CERTIFICATE, KEY, ExtendedKeyUsageOID.SERVER_AUTH)
CLIENT: Final = Role("client", "client.crt", "client.key", ExtendedKeyUsageOID.CLIENT_AUTH)


def issue_into(directory: Path, names: Sequence[str], role: Role, now: datetime, lives: Lives) -> tuple[Path, ...]:
    """Issue a leaf for these names, in the place of one that is there; the CA is made where there is none.

    now: aware UTC. Gives the files that were written.

    Raises:
        CertificateError: a name is none, the CA cannot sign, or a file cannot be read or written.
    """
    _check_names(names)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        ca, written = _find_ca(directory, now, lives)
        issue = issue_client_leaf if role == CLIENT else issue_server_leaf
        leaf = issue(ca, names, now, lives)
        write_key(directory / role.key, leaf.key_pem)
        write_certificate(directory / role.certificate, leaf.certificate_pem)
    except OSError as error:
        raise CertificateError(f"{directory}: {error.strerror}") from error
    return (*written, directory / role.certificate, directory / role.key)


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not is_name(name):
            shown, cure = (
                show(name, SHOWN_VALUE_CHARACTERS),
                "write a DNS name in ASCII or an IP address, without a port",
            )
            raise CertificateError(f"{shown!r} is no name that a certificate can be for: {cure}")


def find_fault(directory: Path, names: Sequence[str], role: Role, now: datetime) -> str:
    """Find what is wrong with a directory's leaf: its key, its CA, its validity, its names; empty where nothing is.

    now: aware UTC.

    Raises:
        CertificateError: a name is none, or a file cannot be read.
    """
    _check_names(names)
    files = [directory / name for name in (role.certificate, role.key, CA)]
    try:
        contents = Contents(*(file.read_bytes() for file in files))
    except OSError as error:
        raise CertificateError(f"{error.filename} cannot be read: {error.strerror}") from error
    held = read_contents(contents, names, now)
    if held.leaf is None:
        return held.fault.replace(CERTIFICATE, role.certificate).replace(KEY, role.key)
    if not find_issuers(held.leaf.chain, held.trusted):
        return f"{role.certificate} is of no CA in {CA}"
    return "" if _is_for(held.leaf.chain[0], role) else f"{role.certificate} is no {role.name}'s"


def _find_ca(directory: Path, now: datetime, lives: Lives) -> tuple[Pair, tuple[Path, ...]]:
    """Find the CA, or make one; gives it with the files that were written."""
    certificate, key = directory / CA, directory / CA_KEY
    if not certificate.exists() and not key.exists():
        ca = issue_ca(_CA_NAME, now, lives)
        write_key(key, ca.key_pem)
        write_certificate(certificate, ca.certificate_pem)
        return ca, (certificate, key)
    if not key.exists() or not certificate.exists():
        missing = key if certificate.exists() else certificate
        raise CertificateError(f"{missing} is not there, so nothing can be signed: name a directory without a CA")
    held = read_contents(Contents(ca=certificate.read_bytes(), ca_keys=key.read_bytes()), (), now)
    if not held.authorities:
        raise CertificateError(f"{certificate} and {key} are no CA that can sign now: remove both for a new one")
    return held.authorities[0], ()


def _is_for(leaf: x509.Certificate, role: Role) -> bool:
    try:
        return role.usage in leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True  # good for anything
