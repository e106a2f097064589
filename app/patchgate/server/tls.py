"""TLS of the gate: certificate and key from files, TLS 1.2 and up, changed without a restart.

A pair is loaded into a context of its own; only when that succeeds do new handshakes get it (by the server-name
callback, which OpenSSL calls whether a name was sent or not). The context that serves is never touched: loading a
mismatched pair into it would break it. Open connections live on.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from patchgate.errors import CertificateError

_Signature = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair that serves.

    Attributes:
        context: made of it.
        expires: when the certificate does, aware UTC.
        serial: its serial number, for people.
    """

    context: ssl.SSLContext
    expires: datetime
    serial: str


class RotatingPair:
    """Certificate and key in files that may change at any time."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the pair.

        Raises:
            CertificateError: it does not serve.
        """
        self._files = (certificate, key)
        self._signature = self._sign()
        self._refused = ""
        self.current = load_pair(certificate, key)
        self.context = _make_context()
        self.context.load_cert_chain(certificate, key, password=_no_password)
        self.context.sni_callback = self._choose

    def reload(self) -> bool:
        """Load the pair where its files have changed; tell whether they had. Blocks.

        Raises:
            CertificateError: the changed pair does not serve; the one before goes on. It is tried again each time, as
                the reason may be another's (rights, too many open files), and said again only when it changes.
        """
        signature = self._sign()
        if signature == self._signature:
            return False
        try:
            self.current = load_pair(*self._files)
        except CertificateError as error:
            if str(error) == self._refused:
                return False
            self._refused = str(error)
            raise
        self._signature, self._refused = signature, ""
        return True

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        connection.context = self.current.context

    def _sign(self) -> _Signature:
        try:
            return tuple((status.st_mtime_ns, status.st_size, status.st_ino) for status in map(Path.stat, self._files))
        except OSError:
            return ()


def load_pair(certificate: Path, key: Path) -> Pair:
    """Load a pair into a context of its own.

    Raises:
        CertificateError: a file cannot be read, or the two do not belong together.
    """
    context = _make_context()
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "no certificate and key in PEM"
        raise CertificateError(f"{certificate} and {key} are not a pair that serves: {reason}") from error
    except OSError as error:
        raise CertificateError(f"{certificate} or {key} cannot be read: {error.strerror}") from error
    return Pair(context, leaf.not_valid_after_utc, f"{leaf.serial_number:x}")


def _make_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Answer for an encrypted key: it fails, and nobody is asked at a terminal."""
    return ""
