"""The certificates that patchgate issues: their extensions by name, and a handshake that trusts them."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from patchgate.pki.issue import Pair, issue_ca, issue_client_leaf, issue_server_leaf

NOW = datetime(2026, 5, 9, 12, tzinfo=UTC)
NAMES = ("patchgate.copa-system.svc", "localhost", "127.0.0.1", "::1")
CA = issue_ca("patchgate CA", NOW)
LEAF = issue_server_leaf(CA, NAMES, NOW)
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)


def list_usages(pair: Pair) -> list[str]:
    usage = pair.certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    return [name for name in KEY_USAGES if getattr(usage.value, name)]


def shake_hands(server: Pair, trusted: Pair, name: str, directory: Path) -> ssl.SSLObject:
    """Do a real handshake in memory, and give the client's side of it."""
    (directory / "tls.crt").write_bytes(server.certificate_pem)
    (directory / "tls.key").write_bytes(server.key_pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(directory / "tls.crt", directory / "tls.key")
    trusting = ssl.create_default_context(cadata=trusted.certificate_pem.decode())
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    answering = serving.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, answering]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return client


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_trusts_the_ca_shakes_hands_with_each_name_and_address_of_the_leaf(
    name: str, tmp_path: Path
) -> None:
    ca = issue_ca("patchgate CA", datetime.now(UTC))
    leaf = issue_server_leaf(ca, NAMES, datetime.now(UTC))
    client = shake_hands(leaf, ca, name, tmp_path)
    assert client.version() == "TLSv1.3"
    assert client.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(leaf.certificate_pem.decode())


@pytest.mark.parametrize("name", ["kubernetes.default.svc", "127.0.0.2", "sub.localhost"])
def test_a_client_refuses_a_name_that_the_leaf_does_not_have(name: str, tmp_path: Path) -> None:
    ca = issue_ca("patchgate CA", datetime.now(UTC))
    leaf = issue_server_leaf(ca, NAMES, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(leaf, ca, name, tmp_path)


def test_a_client_refuses_a_leaf_of_another_ca_of_the_same_name(tmp_path: Path) -> None:
    ca, other = issue_ca("patchgate CA", datetime.now(UTC)), issue_ca("patchgate CA", datetime.now(UTC))
    leaf = issue_server_leaf(ca, NAMES, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(leaf, other, "localhost", tmp_path)


def test_a_leaf_cannot_act_as_a_ca(tmp_path: Path) -> None:
    ca = issue_ca("patchgate CA", datetime.now(UTC))
    leaf = issue_server_leaf(ca, NAMES, datetime.now(UTC))
    forged = issue_server_leaf(leaf, NAMES, datetime.now(UTC))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(forged, leaf, "localhost", tmp_path)


@pytest.mark.parametrize("pair", [CA, LEAF])
def test_keys_are_on_p_256_and_signatures_on_sha_256(pair: Pair) -> None:
    assert isinstance(pair.key.curve, ec.SECP256R1)
    assert pair.certificate.public_key() == pair.key.public_key()
    assert pair.certificate.signature_hash_algorithm
    assert pair.certificate.signature_hash_algorithm.name == "sha256"


@pytest.mark.parametrize(("pair", "days"), [(CA, 3650), (LEAF, 90)])
def test_a_certificate_is_valid_from_an_hour_before_it_was_made(pair: Pair, days: int) -> None:
    assert pair.certificate.not_valid_before_utc == datetime(2026, 5, 9, 11, tzinfo=UTC)
    assert pair.certificate.not_valid_after_utc == NOW + timedelta(days=days)


def test_a_ca_signs_leaves_and_no_further_ca() -> None:
    constraints = CA.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert list_usages(CA) == ["digital_signature", "key_cert_sign", "crl_sign"]


def test_a_leaf_signs_nothing_but_handshakes() -> None:
    constraints = LEAF.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (False, None)
    assert list_usages(LEAF) == ["digital_signature"]


def test_a_leaf_is_a_servers_only() -> None:
    usage = LEAF.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_a_leaf_carries_its_names_and_addresses() -> None:
    names = LEAF.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["patchgate.copa-system.svc", "localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


@pytest.mark.parametrize(("pair", "common_name"), [(CA, "patchgate CA"), (LEAF, "patchgate")], ids=["ca", "leaf"])
def test_a_certificate_is_named_and_issued_by_the_ca(pair: Pair, common_name: str) -> None:
    (subject,) = pair.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert subject.value == common_name
    pair.certificate.verify_directly_issued_by(CA.certificate)


@pytest.mark.parametrize("pair", [CA, LEAF])
def test_a_certificate_identifies_its_own_key(pair: Pair) -> None:
    own = pair.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert own == x509.SubjectKeyIdentifier.from_public_key(pair.key.public_key())


def test_a_leaf_identifies_the_key_of_its_ca() -> None:
    issuers = LEAF.certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert issuers.key_identifier == x509.SubjectKeyIdentifier.from_public_key(CA.key.public_key()).digest


def test_two_certificates_never_share_key_or_serial_number() -> None:
    other = issue_server_leaf(CA, NAMES, NOW)
    assert other.certificate.serial_number != LEAF.certificate.serial_number
    assert other.certificate.public_key() != LEAF.certificate.public_key()


def test_the_pem_is_of_a_certificate_and_of_a_key_that_is_not_encrypted() -> None:
    assert x509.load_pem_x509_certificate(LEAF.certificate_pem) == LEAF.certificate
    assert LEAF.key_pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_a_clients_leaf_is_a_clients_only_and_named_for_it() -> None:
    leaf = issue_client_leaf(CA, ["patcher", "patcher.example.com"], NOW)
    usage = leaf.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert list(usage.value) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    (subject,) = leaf.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert subject.value == "patcher"


def test_a_leaf_never_outlives_its_ca() -> None:
    late = NOW + timedelta(days=3600)
    assert issue_server_leaf(CA, NAMES, late).certificate.not_valid_after_utc == NOW + timedelta(days=3650)
