"""BuildKit's address, and waiting until something that speaks its protocol answers there.

BuildKit speaks gRPC, which is HTTP/2: a server sends its SETTINGS first (RFC 9113, section 3.4), and behind mTLS only
to a client whose certificate it took. Nothing is asked of it beyond that.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from patchgate.errors import SetupError
from patchgate.limits import BUILDKIT_ASK_SECONDS, BUILDKIT_PAUSE_SECONDS, BUILDKIT_WAIT_SECONDS

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and empty SETTINGS
_FRAME_HEADER_BYTES: Final = 9
_SETTINGS: Final = 4


@dataclass(frozen=True, slots=True)
class BuildKitSettings:
    """Where BuildKit is.

    Attributes:
        address: `unix:///run/buildkit/buildkitd.sock` or `tcp://buildkit.example:1234`.
        ca, certificate, key: files (PEM) for mTLS; all three or none.
    """

    address: str
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def flags(self) -> list[str]:
        """Copa's flags for it."""
        files = (("--cacert", self.ca), ("--cert", self.certificate), ("--key", self.key))
        return [
            "--addr",
            self.address,
            *(word for flag, file in files if file for word in (flag, str(file.absolute()))),
        ]


def wait_for_buildkit(
    settings: BuildKitSettings, stop: threading.Event, limit_seconds: float = BUILDKIT_WAIT_SECONDS
) -> None:
    """Wait until BuildKit answers.

    Raises:
        SetupError: it does not within the limit, its address is none, or a certificate cannot be read.
    """
    context = load_certificates(settings)
    deadline = time.monotonic() + limit_seconds
    while True:
        try:
            with _connect(settings.address, context) as connection:
                _shake_hands(connection)
        except OSError as error:
            if time.monotonic() >= deadline or stop.wait(BUILDKIT_PAUSE_SECONDS):
                raise SetupError(
                    f"BuildKit does not answer at {settings.address} within {limit_seconds:g} s"
                    f" ({_say_why(error)}); does buildkitd run, and is --buildkit its address?"
                ) from error
        else:
            return


@contextlib.contextmanager
def _connect(address: str, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        with socket.socket(socket.AF_UNIX) as plain:
            plain.settimeout(BUILDKIT_ASK_SECONDS)
            plain.connect(parts.netloc + parts.path)
            yield plain
    else:
        host, port = _read_host(address)
        with socket.create_connection((host, port), timeout=BUILDKIT_ASK_SECONDS) as plain:
            if context is None:
                yield plain
            else:
                with context.wrap_socket(plain, server_hostname=host) as secured:
                    yield secured


def _shake_hands(connection: socket.socket) -> None:
    connection.sendall(_PREFACE)
    header = b""
    while len(header) < _FRAME_HEADER_BYTES:
        received = connection.recv(_FRAME_HEADER_BYTES - len(header))
        if not received:
            raise OSError("it closed the connection; does it take our certificate?")
        header += received
    if header[3] != _SETTINGS:
        raise OSError("something else than BuildKit answers")


def _read_host(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "tcp" or not host or not port:
        raise SetupError(f"BuildKit's address is unix:///PATH or tcp://HOST:PORT, and not {address}")
    return host, port


def load_certificates(settings: BuildKitSettings) -> ssl.SSLContext | None:
    """Load the certificates for mTLS; None without.

    Raises:
        SetupError: the address is none, or a certificate cannot be read.
    """
    if not settings.address.startswith("unix://"):
        _read_host(settings.address)
    files = (settings.ca, settings.certificate, settings.key)
    if not any(files):
        return None
    if not all(files) or settings.certificate is None:
        raise SetupError("mTLS with BuildKit takes three files: its CA, our certificate and its key")
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.load_cert_chain(settings.certificate, settings.key)
    except OSError as error:
        raise SetupError(f"the certificates for BuildKit cannot be used: {_say_why(error)}") from error
    context.set_alpn_protocols(["h2"])
    return context


def _say_why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return error.strerror or str(error) or type(error).__name__
