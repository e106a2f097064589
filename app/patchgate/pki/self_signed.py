"""A self-signed directory: makes a CA and a leaf there at the first start and keeps them.

The CA's key is thrown away: nobody can sign with it later, and a new leaf means a new CA. Good for trying out; a
cluster uses a Secret.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from cryptography import x509

from patchgate.errors import CertificateError
from patchgate.pki.contents import CA, CERTIFICATE, KEY
from patchgate.pki.files import write_certificate, write_key
from patchgate.pki.issue import issue_ca, issue_server_leaf


def keep_self_signed(directory: Path, names: Iterable[str], now: datetime) -> tuple[Path, Path]:
    """Give certificate and key of the directory; make `ca.crt`, `tls.crt` and `tls.key` where none of them is there.

    Raises:
        CertificateError: only some of the files are there, the leaf has expired, or the directory cannot be written.
    """
    files = [directory / name for name in (CA, CERTIFICATE, KEY)]
    try:
        present = [file.name for file in files if file.exists()]
        if not present:
            _make(directory, names, now)
        elif len(present) < len(files):
            raise CertificateError(
                f"--self-signed {directory} holds only {', '.join(present)}: empty it, or name another"
            )
        else:
            _check_validity(directory / CERTIFICATE, now)
    except OSError as error:
        raise CertificateError(f"--self-signed {directory}: {error.strerror}") from error
    return directory / CERTIFICATE, directory / KEY


def _make(directory: Path, names: Iterable[str], now: datetime) -> None:
    ca = issue_ca("patchgate self-signed CA", now)
    leaf = issue_server_leaf(ca, names, now)
    directory.mkdir(parents=True, exist_ok=True)
    write_key(directory / KEY, leaf.key_pem)
    write_certificate(directory / CERTIFICATE, leaf.certificate_pem)
    write_certificate(directory / CA, ca.certificate_pem)


def _check_validity(certificate: Path, now: datetime) -> None:
    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except ValueError as error:
        raise CertificateError(f"{certificate} is not a certificate in PEM: empty the directory") from error
    if leaf.not_valid_after_utc <= now:
        expired = f"{leaf.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateError(f"{certificate} expired on {expired}: empty the directory, and trust the new ca.crt")
