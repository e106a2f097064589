"""`patchgate certs`: what it issues shakes hands both ways, and what it says of what is wrong."""

import json
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from patchgate.pki.issue import issue_ca
from patchgate.pki.lives import LIVES
from tests.command import run_patchgate


@pytest.fixture
def directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A directory with a CA, a server's leaf and a client's."""
    run_patchgate(capsys, "certs", "issue", "buildkit.example.com", "127.0.0.1", "-d", str(tmp_path))
    run_patchgate(capsys, "certs", "issue", "patcher", "--client", "-d", str(tmp_path))
    return tmp_path


def shake_hands(directory: Path, server: str, client: str, name: str) -> None:
    """A handshake in memory in which both sides ask who the other is. server, client: the names of their files."""
    serving, asking = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    for context, files in ((serving, server), (asking, client)):
        context.load_verify_locations(directory / "ca.crt")
        context.load_cert_chain(directory / f"{files}.crt", directory / f"{files}.key")
        context.verify_mode = ssl.CERT_REQUIRED
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        asking.wrap_bio(to_client, to_server, server_hostname=name),
        serving.wrap_bio(to_server, to_client, server_side=True),
    ]
    while sides:
        side = sides.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            sides.append(side)


@pytest.mark.parametrize("name", ["buildkit.example.com", "127.0.0.1"])
def test_server_and_client_know_each_other(directory: Path, name: str) -> None:
    shake_hands(directory, "tls", "client", name)


def test_neither_leaf_does_for_the_other(directory: Path) -> None:
    for server, client in (("client", "client"), ("tls", "tls")):
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(directory, server, client, "patcher" if server == "client" else "127.0.0.1")


def test_what_was_written_is_said_and_keys_are_for_their_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = os.umask(0o022)
    try:
        code, out, err = run_patchgate(capsys, "certs", "issue", "localhost", "-d", str(tmp_path / "a" / "b"))
    finally:
        os.umask(before)
    files = {Path(line) for line in out.splitlines()}
    assert (code, err, files) == (0, "", set((tmp_path / "a" / "b").iterdir()))
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in files} == {
        "ca.crt": "0o644",
        "ca.key": "0o600",
        "tls.crt": "0o644",
        "tls.key": "0o600",
    }


def test_the_ca_is_kept_and_a_leaf_of_the_same_name_is_replaced(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {file.name: file.read_bytes() for file in directory.iterdir()}
    code, out, _ = run_patchgate(capsys, "certs", "issue", "other", "-d", str(directory))
    after = {file.name: file.read_bytes() for file in directory.iterdir()}
    assert (code, out) == (0, f"{directory}/tls.crt\n{directory}/tls.key\n")
    assert {name for name in after if after[name] != before[name]} == {"tls.crt", "tls.key"}
    shake_hands(directory, "tls", "client", "other")


def spoil_ca(directory: Path) -> None:
    (directory / "ca.key").write_bytes(b"garbage")


def lose_ca_key(directory: Path) -> None:
    (directory / "ca.key").unlink()


def lose_ca(directory: Path) -> None:
    (directory / "ca.crt").unlink()


def let_ca_expire(directory: Path) -> None:
    ca = issue_ca("old", datetime.now(UTC) - LIVES.ca - timedelta(days=1))
    (directory / "ca.crt").write_bytes(ca.certificate_pem)
    (directory / "ca.key").write_bytes(ca.key_pem)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lose_ca_key, "/ca.key is not there, so nothing can be signed: name a directory without a CA\n"),
        (lose_ca, "/ca.crt is not there, so nothing can be signed: name a directory without a CA\n"),
        (spoil_ca, "/ca.key are no CA that can sign now: remove both for a new one\n"),
        (let_ca_expire, "/ca.key are no CA that can sign now: remove both for a new one\n"),
    ],
)
def test_a_ca_that_cannot_sign_is_said_and_nothing_is_written(
    directory: Path, capsys: pytest.CaptureFixture[str], spoil: "object", said: str
) -> None:
    assert callable(spoil)
    spoil(directory)
    before = {file.name: file.read_bytes() for file in directory.iterdir()}
    code, out, err = run_patchgate(capsys, "certs", "issue", "localhost", "-d", str(directory))
    assert (code, out) == (2, "")
    assert err.endswith(said)
    assert {file.name: file.read_bytes() for file in directory.iterdir()} == before


def test_a_name_that_is_none_and_a_directory_that_is_a_file_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert run_patchgate(capsys, "certs", "issue", "münchen", "-d", str(tmp_path / "a")) == (
        2,
        "",
        (
            "patchgate: 'münchen' is no name that a certificate can be for: "
            "write a DNS name in ASCII or an IP address, without a port\n"
        ),
    )
    assert run_patchgate(capsys, "certs", "issue", "a", "-d", str(tmp_path / "file")) == (
        2,
        "",
        f"patchgate: {tmp_path}/file: File exists\n",
    )


def test_certificates_are_shown_as_a_table_and_as_json(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_patchgate(capsys, "certs", "show", "-d", str(directory))
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [
        "FILE",
        *(f"{directory}/{name}.crt" for name in ("ca", "tls", "client")),
    ]
    code, out, _ = run_patchgate(capsys, "certs", "show", str(directory / "tls.crt"), "-o", "json")
    (shown,) = json.loads(out)["certificates"]
    assert (code, shown["names"], shown["ca"], shown["valid"]) == (
        0,
        ["buildkit.example.com", "127.0.0.1"],
        False,
        True,
    )
    assert shown["issuer"] == "CN=patchgate development CA"


def test_a_certificate_that_is_not_valid_is_shown_with_1_and_none_at_all_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaf = trustme.CA().issue_cert("a", not_after=datetime.now(UTC) - timedelta(days=1))
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "old.crt")
    assert run_patchgate(capsys, "certs", "show", str(tmp_path / "old.crt"))[0] == 1
    (tmp_path / "none.crt").write_text("none", encoding="utf-8")
    for arguments, said in (
        ((str(tmp_path / "none.crt"),), f"{tmp_path}/none.crt holds no certificate in PEM"),
        ((str(tmp_path / "gone.crt"),), f"{tmp_path}/gone.crt cannot be read: No such file or directory"),
        (("-d", str(tmp_path)), f"{tmp_path} holds no certificate; name another --directory, or a file"),
    ):
        assert run_patchgate(capsys, "certs", "show", *arguments) == (2, "", f"patchgate: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("127.0.0.1",), 0, "/tls.crt: good for 127.0.0.1"),
        (("patcher", "--client"), 0, "/client.crt: good for patcher"),
        (("elsewhere",), 1, ": tls.crt is not good for elsewhere"),
        (("127.0.0.1", "--client"), 1, ": client.crt is not good for 127.0.0.1"),
    ],
)
def test_a_leaf_is_verified_for_names(
    directory: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    assert run_patchgate(capsys, "certs", "verify", *arguments, "-d", str(directory)) == (
        code,
        f"{directory}{said}\n",
        "",
    )


def test_a_leaf_that_is_not_whole_is_verified_with_1_and_one_that_is_not_there_with_2(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "tls.key").write_bytes((directory / "client.key").read_bytes())
    assert run_patchgate(capsys, "certs", "verify", "127.0.0.1", "-d", str(directory)) == (
        1,
        f"{directory}: tls.key is not the key of tls.crt\n",
        "",
    )
    for name in ("crt", "key"):
        (directory / f"tls.{name}").write_bytes((directory / f"client.{name}").read_bytes())
    assert run_patchgate(capsys, "certs", "verify", "patcher", "-d", str(directory)) == (
        1,
        f"{directory}: tls.crt is no server's\n",
        "",
    )
    (directory / "ca.crt").write_bytes(b"")
    assert run_patchgate(capsys, "certs", "verify", "patcher", "--client", "-d", str(directory))[0] == 1
    (directory / "ca.crt").unlink()
    assert run_patchgate(capsys, "certs", "verify", "patcher", "-d", str(directory)) == (
        2,
        "",
        f"patchgate: {directory}/ca.crt cannot be read: No such file or directory\n",
    )


@pytest.mark.parametrize(
    "name",
    ["gate:8443", "https://gate", "a..b", "-a", "a-", "a_b", "", " ", "a b", "*", "a.*.b", "10.0.0.256/8", "x" * 64],
)
def test_what_is_no_name_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    directory = tmp_path / "certs"
    code, out, err = run_patchgate(capsys, "certs", "issue", "-d", str(directory), "--", "good.example.com", name)
    assert (code, out) == (2, "")
    assert err.startswith(f"patchgate: {' '.join(repr(name).split())} is no name that a certificate can be for: ")
    assert not directory.exists()


@pytest.mark.parametrize("name", ["localhost", "a.b", "*.example.com", "Gate.Example.com", "10.0.0.5", "::1", "0x10"])
def test_a_name_is_written_into_a_directory_that_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    directory = tmp_path / "made" / "certs"
    assert run_patchgate(capsys, "certs", "issue", name, "--directory", str(directory))[0] == 0
    code, out, _ = run_patchgate(capsys, "certs", "show", str(directory), "-o", "json")
    assert code == 0
    assert [Path(each["file"]).name for each in json.loads(out)["certificates"]] == ["ca.crt", "tls.crt"]
