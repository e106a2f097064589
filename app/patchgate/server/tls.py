"""TLS of the gate: certificate and key from files, TLS 1.2 and up."""

import ssl
from pathlib import Path

from patchgate.errors import CertificateError


def load_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Load a server context.

    Raises:
        CertificateError: a file cannot be read, or the two do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # an encrypted key fails, and asks nobody
    except ssl.SSLError as error:
        reason = error.reason or "no certificate and key in PEM"
        raise CertificateError(f"{certificate} and {key} are not a pair that serves: {reason}") from error
    except OSError as error:
        raise CertificateError(f"{certificate} or {key} cannot be read: {error.strerror}") from error
    return context
