"""Waiting for BuildKit: at a socket, behind mTLS, and where nobody or somebody else answers."""

import ssl
import threading
from pathlib import Path

import pytest
import trustme

from patchgate.errors import SetupError
from patchgate.patcher.buildkit import BuildKitSettings, wait_for_buildkit
from tests.patcher.buildkit_server import serve_buildkit

SHORT_SECONDS = 0.1


def wait(settings: BuildKitSettings, limit_seconds: float = SHORT_SECONDS) -> None:
    wait_for_buildkit(settings, threading.Event(), limit_seconds)


class Certificates:
    """Of a server that wants to know its clients, and of one client."""

    def __init__(self, directory: Path) -> None:
        self.authority = trustme.CA()
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.verify_mode = ssl.CERT_REQUIRED
        self.server.set_alpn_protocols(["h2"])
        self.authority.issue_cert("127.0.0.1").configure_cert(self.server)
        self.authority.configure_trust(self.server)
        self.files = self.write(directory, "mine", self.authority)

    def write(self, directory: Path, name: str, authority: trustme.CA) -> tuple[Path, Path, Path]:
        files = directory / f"{name}.ca", directory / f"{name}.crt", directory / f"{name}.key"
        leaf = authority.issue_cert("patcher@example.com")
        self.authority.cert_pem.write_to_path(files[0])
        leaf.cert_chain_pems[0].write_to_path(files[1])
        leaf.private_key_pem.write_to_path(files[2])
        return files


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return Certificates(tmp_path)


def test_buildkit_answers_at_its_socket() -> None:
    with serve_buildkit() as address:
        wait(BuildKitSettings(address))


def test_buildkit_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    with serve_buildkit() as address:
        link = tmp_path / "later.sock"
        threading.Timer(0.3, link.symlink_to, (address.removeprefix("unix://"),)).start()
        wait(BuildKitSettings(f"unix://{link}"), 60)


def test_buildkit_answers_behind_mtls(certificates: Certificates) -> None:
    with serve_buildkit(certificates.server) as address:
        wait(BuildKitSettings(address, *certificates.files))


def test_a_client_certificate_that_is_not_trusted_is_said(certificates: Certificates, tmp_path: Path) -> None:
    foreign = certificates.write(tmp_path, "foreign", trustme.CA())
    with (
        serve_buildkit(certificates.server) as address,
        pytest.raises(SetupError, match=r"TLS|Connection reset|closed"),
    ):
        wait(BuildKitSettings(address, *foreign))


def test_a_server_that_is_not_trusted_is_said(certificates: Certificates) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(server)
    with serve_buildkit(server) as address, pytest.raises(SetupError, match="its certificate is not trusted"):
        wait(BuildKitSettings(address, *certificates.files))


def test_nobody_there_is_said_with_what_to_do(tmp_path: Path) -> None:
    message = (
        rf"^BuildKit does not answer at unix://{tmp_path}/gone\.sock within 0\.1 s \(No such file or directory\);"
        r" does buildkitd run, and is --buildkit its address\?$"
    )
    with pytest.raises(SetupError, match=message):
        wait(BuildKitSettings(f"unix://{tmp_path}/gone.sock"))


@pytest.mark.parametrize(("says", "why"), [(b"HTTP/1.1 400 Bad", "something else than BuildKit"), (b"", "closed")])
def test_somebody_else_is_not_buildkit(says: bytes, why: str) -> None:
    with serve_buildkit(says=says) as address, pytest.raises(SetupError, match=why):
        wait(BuildKitSettings(address))


def test_a_stopped_patcher_does_not_wait(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(SetupError, match="does not answer"):
        wait_for_buildkit(BuildKitSettings(f"unix://{tmp_path}/gone.sock"), stop, 1000)


@pytest.mark.parametrize("address", ["", "/run/b.sock", "tcp://host", "tcp://host:x", "kube-pod://b", "docker://"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(SetupError, match=r"^BuildKit's address is unix:///PATH or tcp://HOST:PORT, and not"):
        wait(BuildKitSettings(address))


def test_mtls_takes_three_files(certificates: Certificates) -> None:
    with pytest.raises(SetupError, match="takes three files"):
        wait(BuildKitSettings("tcp://127.0.0.1:1", certificates.files[0]))


def test_files_that_are_no_certificates_are_named(certificates: Certificates, tmp_path: Path) -> None:
    ca, certificate, _ = certificates.files
    with pytest.raises(SetupError, match="the certificates for BuildKit cannot be used: No such file or directory"):
        wait(BuildKitSettings("tcp://127.0.0.1:1", ca, certificate, tmp_path / "gone"))
    with pytest.raises(SetupError, match="the certificates for BuildKit cannot be used: TLS"):
        wait(BuildKitSettings("tcp://127.0.0.1:1", ca, certificate, certificate))
