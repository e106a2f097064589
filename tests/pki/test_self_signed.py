"""A self-signed directory: made once, kept, and refused where it cannot serve."""

import os
import shutil
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from patchgate.errors import CertificateError
from patchgate.pki.self_signed import keep_self_signed
from tests.plain_user import as_a_plain_user

NOW = datetime(2026, 5, 9, 12, tzinfo=UTC)
LEAF_ENDS = NOW + timedelta(days=90)


def keep(directory: Path, now: datetime = NOW) -> tuple[Path, Path]:
    return keep_self_signed(directory, ["localhost", "127.0.0.1"], now)


def read_all(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


def test_the_first_start_makes_ca_certificate_and_key_that_belong_together(tmp_path: Path) -> None:
    certificate, key = keep(tmp_path / "a" / "b")
    assert (certificate, key) == (tmp_path / "a" / "b" / "tls.crt", tmp_path / "a" / "b" / "tls.key")
    assert set(read_all(certificate.parent)) == {"ca.crt", "tls.crt", "tls.key"}
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    ca = x509.load_pem_x509_certificate((certificate.parent / "ca.crt").read_bytes())
    x509.load_pem_x509_certificate(certificate.read_bytes()).verify_directly_issued_by(ca)


def test_the_second_start_keeps_what_the_first_made(tmp_path: Path) -> None:
    first = keep(tmp_path)
    made = read_all(tmp_path)
    assert keep(tmp_path, LEAF_ENDS - timedelta(seconds=1)) == first
    assert read_all(tmp_path) == made


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_key_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        _, key = keep(tmp_path)
    finally:
        os.umask(before)
    assert key.stat().st_mode & 0o777 == 0o600


def test_certificates_are_for_everybody(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        certificate, _ = keep(tmp_path)
    finally:
        os.umask(before)
    assert certificate.stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "ca.crt").stat().st_mode & 0o777 == 0o644


def test_what_else_lies_in_the_directory_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("mine", encoding="utf-8")
    keep(tmp_path)
    assert read_all(tmp_path)["README"] == b"mine"


@pytest.mark.parametrize(
    ("lost", "left"), [("ca.crt", "tls.crt, tls.key"), ("tls.crt", "ca.crt, tls.key"), ("tls.key", "ca.crt, tls.crt")]
)
def test_a_directory_with_only_some_of_the_files_is_refused_and_left_as_it_is(
    tmp_path: Path, lost: str, left: str
) -> None:
    keep(tmp_path)
    (tmp_path / lost).unlink()
    before = read_all(tmp_path)
    with pytest.raises(CertificateError) as refused:
        keep(tmp_path)
    assert str(refused.value) == f"--self-signed {tmp_path} holds only {left}: empty it, or name another"
    assert read_all(tmp_path) == before


@pytest.mark.parametrize("late", [timedelta(), timedelta(days=1)])
def test_an_expired_leaf_is_refused_with_what_to_do(tmp_path: Path, late: timedelta) -> None:
    keep(tmp_path)
    with pytest.raises(CertificateError) as refused:
        keep(tmp_path, LEAF_ENDS + late)
    assert str(refused.value) == (
        f"{tmp_path}/tls.crt expired on 2026-08-07: empty the directory, and trust the new ca.crt"
    )


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\x00", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_certificate_that_is_none_is_refused_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    keep(tmp_path)
    (tmp_path / "tls.crt").write_bytes(content)
    with pytest.raises(CertificateError) as refused:
        keep(tmp_path)
    assert str(refused.value) == f"{tmp_path}/tls.crt is not a certificate in PEM: empty the directory"


def test_a_directory_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CertificateError) as refused:
        keep(tmp_path / "file" / "pki")
    assert str(refused.value) == f"--self-signed {tmp_path}/file/pki: Not a directory"


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for name in ("ca.crt", "tls.crt", "tls.key"):
        (tmp_path / name).mkdir()
    with pytest.raises(CertificateError, match="Is a directory"):
        keep(tmp_path)


def test_a_directory_whose_name_cannot_be_looked_up_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="File name too long"):
        keep(tmp_path / ("x" * 300))


def test_a_directory_that_may_not_be_searched_is_refused() -> None:
    directory = Path(tempfile.mkdtemp())  # tmp_path itself may be searched by its owner alone
    try:
        directory.chmod(0o755)
        (directory / "pki").mkdir(mode=0o000)
        with as_a_plain_user(), pytest.raises(CertificateError) as refused:
            keep(directory / "pki")
        assert str(refused.value) == f"--self-signed {directory}/pki: Permission denied"
    finally:
        shutil.rmtree(directory)
