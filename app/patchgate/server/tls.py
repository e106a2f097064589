"""TLS of the gate: certificate and key from files or memory, TLS 1.2 and up, changed without a restart.

A pair is loaded into a context of its own; only when that succeeds do new handshakes get it (by the server-name
callback, which OpenSSL calls whether a name was sent or not). The context that serves is never touched: loading a
mismatched pair into it would break it. Open connections live on.

The CAs of callers' certificates are in the same contexts, as OpenSSL verifies by the one that the callback chose. With
such CAs, TLS asks for a certificate and goes on without one; `callers` says what becomes of that caller.
"""

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
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
        begins: when the certificate does, aware UTC.
        expires: when the certificate does, aware UTC.
        serial: its serial number, for people.
        certificate: the chain, PEM.
        key: its key, PEM.
    """

    context: ssl.SSLContext
    begins: datetime
    expires: datetime
    serial: str
    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


class ServedPair:
    """The pair that new handshakes get."""

    def __init__(self, pair: Pair) -> None:
        self._client_cas = ""
        self.current = pair
        self.context = _make_context()
        self.context.sni_callback = self._choose

    def serve(self, pair: Pair) -> None:
        """Have new handshakes get another pair, one that was just made."""
        _trust(pair.context, self._client_cas)
        self.current = pair

    def ask_clients(self, cas: str, note_untrusted: Callable[[], None]) -> None:
        """Have new handshakes ask callers for a certificate. cas: those that verify it, PEM.

        note_untrusted: told of each handshake that failed as they do not.

        Raises:
            CertificateError: no CA can be read.
        """
        current = make_pair(self.current.certificate, self.current.key, "the served certificate and key")
        _trust(current.context, cas)
        self._client_cas = cas
        self.current = replace(current, expires=self.current.expires)  # a stand-in's is its mark
        _ask(self.context)
        self.context.sslobject_class = _make_noting_class(note_untrusted)

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        connection.context = self.current.context


class RotatingPair(ServedPair):
    """Certificate and key in files that may change at any time."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the pair.

        Raises:
            CertificateError: it does not serve.
        """
        self._files = (certificate, key)
        self._signature = self._sign()
        self._refused = ""
        super().__init__(load_pair(certificate, key))

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
            self.serve(load_pair(*self._files))
        except CertificateError as error:
            if str(error) == self._refused:
                return False
            self._refused = str(error)
            raise
        self._signature, self._refused = signature, ""
        return True

    def _sign(self) -> _Signature:
        try:
            return tuple((status.st_mtime_ns, status.st_size, status.st_ino) for status in map(Path.stat, self._files))
        except OSError:
            return ()


def load_pair(certificate: Path, key: Path) -> Pair:
    """Load a pair of files into a context of its own.

    Raises:
        CertificateError: a file cannot be read, or the two do not belong together.
    """
    try:
        contents = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise CertificateError(f"{certificate} or {key} cannot be read: {error.strerror}") from error
    return make_pair(*contents, f"{certificate} and {key}")


def make_pair(certificate: bytes, key: bytes, origin: str) -> Pair:
    """Load a pair, PEM, into a context of its own. origin: for the error, two names.

    Raises:
        CertificateError: the two do not belong together.
    """
    context = _make_context()
    try:
        with _as_file(certificate) as certificate_file, _as_file(key) as key_file:
            context.load_cert_chain(certificate_file, key_file, password=_no_password)
        leaf = x509.load_pem_x509_certificate(certificate)
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or "no certificate and key in PEM"
        raise CertificateError(f"{origin} are not a pair that serves: {reason}") from error
    serial = f"{leaf.serial_number:x}"
    return Pair(context, leaf.not_valid_before_utc, leaf.not_valid_after_utc, serial, certificate, key)


@contextmanager
def _as_file(content: bytes) -> Iterator[str]:
    """Give the name of a file in memory: Python loads a pair from files alone, and a key must not lie on a disk."""
    descriptor = os.memfd_create("pair")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _make_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _trust(context: ssl.SSLContext, client_cas: str) -> None:
    """Have a context ask callers for a certificate of these CAs, where there are any.

    Raises:
        CertificateError: no CA can be read.
    """
    if not client_cas:
        return
    try:
        context.load_verify_locations(cadata=client_cas)
    except (ssl.SSLError, ValueError) as error:
        raise CertificateError(f"no CA in PEM: {getattr(error, 'reason', None) or error}") from error
    _ask(context)


def _ask(context: ssl.SSLContext) -> None:
    context.verify_mode = ssl.CERT_OPTIONAL
    context.options |= ssl.OP_NO_TICKET  # a session that is resumed would not be verified again
    context.num_tickets = 0


def _make_noting_class(note_untrusted: Callable[[], None]) -> type[ssl.SSLObject]:
    class NotingObject(ssl.SSLObject):
        """One side of TLS, which tells of a caller's certificate that is not verified: asyncio says nothing."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLCertVerificationError:
                note_untrusted()
                raise

    return NotingObject


def _no_password() -> str:
    """Answer for an encrypted key: it fails, and nobody is asked at a terminal."""
    return ""
