"""TLS of the gate: what it speaks, what it refuses, and that no bytes on its port end it."""

import socket
import ssl
import warnings
from pathlib import Path

import pytest
import trustme

from patchgate.errors import CertificateError
from patchgate.server.tls import RotatingPair, load_pair
from tests.conftest import Gate

REQUEST = b"GET /livez HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(gate: Gate, version: ssl.TLSVersion) -> None:
    trust = ssl.create_default_context(cadata=issuer_of(gate))
    trust.minimum_version = trust.maximum_version = version
    with trust.wrap_socket(gate.open_socket(), server_hostname=gate.host) as connection:
        assert connection.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def shake_hands_with_at_most(gate: Gate, version: ssl.TLSVersion) -> str | None:
    """The version agreed on with a caller of old that takes any cipher and certificate."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        old.minimum_version = ssl.TLSVersion.TLSv1
        old.maximum_version = version
    with gate.open_socket() as connection, old.wrap_socket(connection) as wrapped:
        return wrapped.version()


def test_tls_1_1_is_refused_by_the_gate(gate: Gate) -> None:
    assert shake_hands_with_at_most(gate, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(OSError, match=r"EOF occurred|ALERT_PROTOCOL_VERSION|reset by peer"):  # never a fault of its own
        shake_hands_with_at_most(gate, ssl.TLSVersion.TLSv1_1)


def test_http_2_is_not_agreed_on(gate: Gate) -> None:
    trust = ssl.create_default_context(cadata=issuer_of(gate))
    trust.set_alpn_protocols(["h2", "http/1.1"])
    with trust.wrap_socket(gate.open_socket(), server_hostname=gate.host) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_a_caller_that_does_not_know_the_ca_does_not_trust_the_gate(gate: Gate) -> None:
    stranger = ssl.create_default_context()
    with gate.open_socket() as connection, pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(connection, server_hostname=gate.host)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "patchgate.copa-system.svc", "patchgate"])
def test_the_self_signed_certificate_is_good_for_every_name_of_the_gate(gate: Gate, name: str) -> None:
    with gate.trust.wrap_socket(gate.open_socket(), server_hostname=name) as connection:
        connection.sendall(REQUEST)
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "noise",
    [
        REQUEST,
        b"\x00" * 4096,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 500,  # a TLS record, and nonsense in it
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["plain HTTP", "zeros", "a broken ClientHello", "SSH", "nothing"],
)
def test_what_is_no_handshake_gets_no_answer_and_harms_nobody(gate: Gate, noise: bytes) -> None:
    with gate.open_socket() as connection:
        connection.sendall(noise)
        connection.shutdown(socket.SHUT_WR)
        assert b"HTTP/" not in read_to_the_end(connection)
    assert gate.ask("GET", "/livez").status == 200


def test_a_caller_that_never_shakes_hands_keeps_nobody_waiting(gate: Gate) -> None:
    idle = [gate.open_socket() for _ in range(64)]
    try:
        assert gate.ask("GET", "/readyz").status == 200
    finally:
        for connection in idle:
            connection.close()


def test_a_pair_from_files_makes_a_context_of_tls_1_2_and_up(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, "a")
    assert load_pair(certificate, key).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_files_that_are_not_a_pair_are_refused(tmp_path: Path) -> None:
    (certificate, _), (_, key) = write_pair(tmp_path, "a"), write_pair(tmp_path, "b")
    with pytest.raises(CertificateError, match=r"a\.crt and .*b\.key are not a pair that serves: KEY_VALUES_MISMATCH"):
        load_pair(certificate, key)


@pytest.mark.parametrize("content", [b"", b"no PEM", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    certificate, key = write_pair(tmp_path, "a")
    certificate.write_bytes(content)
    with pytest.raises(CertificateError, match="are not a pair that serves: "):
        load_pair(certificate, key)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    certificate, _ = write_pair(tmp_path, "a")
    with pytest.raises(CertificateError, match=r"a\.crt or .*none\.key cannot be read: No such file or directory"):
        load_pair(certificate, tmp_path / "none.key")


def test_a_changed_pair_is_loaded_once(tmp_path: Path) -> None:
    pair = RotatingPair(*write_pair(tmp_path, "a"))
    before = pair.current
    assert pair.reload() is False
    write_pair(tmp_path, "a")
    assert [pair.reload(), pair.reload()] == [True, False]
    assert pair.current.serial != before.serial


@pytest.mark.parametrize("content", [None, b"", b"half"], ids=["gone", "empty", "half written"])
@pytest.mark.parametrize("ending", ["crt", "key"])
def test_a_pair_that_breaks_is_said_once_and_the_one_before_goes_on(
    tmp_path: Path, content: bytes | None, ending: str
) -> None:
    pair = RotatingPair(*write_pair(tmp_path, "a"))
    before, path = pair.current, tmp_path / f"a.{ending}"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CertificateError):
        pair.reload()
    assert (pair.reload(), pair.current) == (False, before)
    write_pair(tmp_path, "a")
    assert (pair.reload(), pair.current is before) == (True, False)


def write_pair(directory: Path, name: str) -> tuple[Path, Path]:
    """A certificate and its key, made by trustme."""
    leaf = trustme.CA().issue_cert("127.0.0.1")
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    leaf.cert_chain_pems[0].write_to_path(certificate)
    leaf.private_key_pem.write_to_path(key)
    return certificate, key


def issuer_of(gate: Gate) -> bytes:
    """The CA that the gate's callers trust, DER."""
    return gate.trust.get_ca_certs(binary_form=True)[0]


def read_to_the_end(connection: socket.socket) -> bytes:
    received = b""
    try:
        while chunk := connection.recv(4096):
            received += chunk
    except ConnectionResetError:
        pass
    return received


def test_a_pair_that_could_not_be_read_for_a_moment_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = RotatingPair(*write_pair(tmp_path, "a"))
    write_pair(tmp_path, "a")

    def fail(*_: object) -> None:
        raise CertificateError("too many open files")

    with monkeypatch.context() as patch:
        patch.setattr("patchgate.server.tls.load_pair", fail)
        with pytest.raises(CertificateError):
            pair.reload()
        assert pair.reload() is False
    assert pair.reload() is True
