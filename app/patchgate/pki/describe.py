"""Describes certificates, for people and machines."""

from datetime import datetime
from pathlib import Path

from cryptography import x509

from patchgate.errors import CertificateError
from patchgate.pki.lives import is_valid
from patchgate.pki.pem import is_ca, list_names, read_certificates


def describe(file: Path, now: datetime) -> list[dict[str, object]]:
    """Describe the certificates of a file, for people and machines. now: aware UTC.

    Raises:
        CertificateError: the file cannot be read, or holds none.
    """
    try:
        certificates = read_certificates(file.read_bytes())
    except OSError as error:
        raise CertificateError(f"{file} cannot be read: {error.strerror}") from error
    if not certificates:
        raise CertificateError(f"{file} holds no certificate in PEM")
    return [_describe(file, certificate, now) for certificate in certificates]


def _describe(file: Path, certificate: x509.Certificate, now: datetime) -> dict[str, object]:
    return {
        "file": str(file),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "names": list(list_names(certificate)),
        "ca": is_ca(certificate),
        "begins": certificate.not_valid_before_utc.isoformat(),
        "expires": certificate.not_valid_after_utc.isoformat(),
        "valid": is_valid(certificate, now),
    }
