"""A gate whose certificate comes from a Secret, in a process of its own, beside an API that a test breaks and mends."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.conftest import Gate, run_gate
from tests.pki.cluster.secret_simulator import SecretSimulator, run_secret_simulator

FAILING = "certificates cannot be kept current; what is served goes on"
OWN = ("--tls-secret", "tls", "--issue-certificates", "--webhook-configuration", "gate")


@pytest.fixture(scope="module")
def api() -> Iterator[SecretSimulator]:
    with run_secret_simulator() as simulator:
        simulator.configure(b"")
        yield simulator


@pytest.fixture(scope="module")
def gate(api: SecretSimulator, shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    environment = ask(api, tmp_path_factory.mktemp("kube"))
    with run_gate(shop, None, *OWN, environment=environment) as running:
        running.wait_until_ready()
        yield running


def ask(api: SecretSimulator, folder: Path) -> dict[str, str]:
    """The environment of a gate that asks this API."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    (folder / "config").write_text(json.dumps(content), encoding="utf-8")
    return {"KUBECONFIG": str(folder / "config")}


def see_served(gate: Gate) -> bytes:
    with gate.open_tls() as connection:
        return connection.getpeercert(binary_form=True) or b""


def serves(gate: Gate, certificate: bytes) -> bool:
    return x509.load_der_x509_certificate(see_served(gate)) == x509.load_pem_x509_certificate(certificate)


def test_it_serves_what_it_has_issued_and_its_caller_trusts_it(gate: Gate, api: SecretSimulator) -> None:
    assert serves(gate, api.values()["tls.crt"])
    assert api.bundles() == [api.values()["ca.crt"]]
    expires = x509.load_pem_x509_certificate(api.values()["tls.crt"]).not_valid_after_utc
    assert gate.metric("patchgate_certificate_expiry_timestamp_seconds") == expires.timestamp()
    assert gate.metric('patchgate_certificate_loads_total{result="loaded"}') == 1


def test_a_broken_key_is_refused_said_and_mended(gate: Gate, api: SecretSimulator) -> None:
    before = see_served(gate)
    api.put(api.values() | {"tls.key": api.values()["ca.key"]})
    gate.wait_until(lambda: see_served(gate) != before)
    assert serves(gate, api.values()["tls.crt"])
    assert gate.metric('patchgate_certificate_loads_total{result="refused"}') == 1
    refused = gate.events("certificate refused; the one before goes on")
    assert [event["why"] for event in refused] == ["tls.key is not the key of tls.crt"]


def test_an_api_that_fails_is_said_once_and_changes_nothing(gate: Gate, api: SecretSimulator) -> None:
    before = see_served(gate)
    asked = len(api.requests)
    api.statuses["GET secret"] = 500
    gate.wait_until(lambda: len(api.requests) > asked + 2)
    assert gate.ask("GET", "/readyz").status == 200
    gate.wait_until(lambda: gate.events(FAILING) != [])
    assert [event["why"] for event in gate.events(FAILING)] == [
        f"{api.url} does not get secret tls in copa-system: it answers 500"
    ]
    assert gate.metric('patchgate_errors_total{where="certificate"}') >= 1
    api.statuses.clear()
    gate.wait_until(lambda: gate.events("certificates are kept current again") != [])
    assert see_served(gate) == before


def issue(bits: int, serial: int = 1) -> dict[str, bytes]:
    """A pair made by hand: signed by itself, and with a serial number that many have."""
    key, now = rsa.generate_private_key(65537, bits), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gate")])
    names = x509.SubjectAlternativeName([x509.DNSName("patchgate.copa-system.svc")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, now - timedelta(1), now + timedelta(9))
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_pem = key.private_bytes(serialization.Encoding.PEM, *form)
    return {"tls.crt": certificate.public_bytes(serialization.Encoding.PEM), "tls.key": key_pem}


def test_a_pair_that_openssl_does_not_take_is_refused_and_another_of_the_same_serial_number_served(
    shop: Path, tmp_path: Path
) -> None:
    with run_secret_simulator() as simulator:
        short, first, second = issue(1024), issue(2048), issue(2048)
        simulator.put(short)
        with run_gate(shop, None, "--tls-secret", "tls", environment=ask(simulator, tmp_path)) as gate:
            why = "tls.crt and tls.key of the Secret are not a pair that serves: EE_KEY_TOO_SMALL"
            said = f"not ready: no certificate in the Secret tls: {why}"
            gate.wait_until(lambda: said in gate.ask("GET", "/readyz?verbose").text.splitlines())
            for values in (first, second):
                simulator.put(values)
                gate.wait_until(lambda values=values: serves(gate, values["tls.crt"]))  # type: ignore[misc] # a default
            gate.wait_until_ready()
            simulator.put(short)
            gate.wait_until(lambda: len(gate.events("certificate refused; the one before goes on")) == 2)
            assert serves(gate, second["tls.crt"])
            assert gate.ask("GET", "/readyz").status == 200


def test_a_ca_bundle_that_is_emptied_makes_it_unready_until_it_is_mended(gate: Gate, api: SecretSimulator) -> None:
    api.statuses["PATCH configuration"] = 403
    api.configure(b"")
    gate.wait_until(lambda: gate.ask("GET", "/readyz").status == 503)
    why = "not ready: the caBundle of gate does not hold the CA of the certificate"
    assert why in gate.ask("GET", "/readyz?verbose").text.splitlines()
    api.statuses.clear()
    gate.wait_until_ready()
    gate.wait_until(lambda: gate.events("callers can trust the certificate") != [])
