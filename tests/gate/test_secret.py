"""A gate whose certificate comes from a Secret, in a process of its own, beside an API that a test breaks and mends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

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
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": api.url}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    kubeconfig.write_text(json.dumps(content), encoding="utf-8")
    with run_gate(shop, None, *OWN, environment={"KUBECONFIG": str(kubeconfig)}) as running:
        running.wait_until_ready()
        yield running


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


def test_a_ca_bundle_that_is_emptied_makes_it_unready_until_it_is_mended(gate: Gate, api: SecretSimulator) -> None:
    api.statuses["PATCH configuration"] = 403
    api.configure(b"")
    gate.wait_until(lambda: gate.ask("GET", "/readyz").status == 503)
    why = "not ready: the caBundle of gate does not hold the CA of the certificate"
    assert why in gate.ask("GET", "/readyz?verbose").text.splitlines()
    api.statuses.clear()
    gate.wait_until_ready()
    gate.wait_until(lambda: gate.events("callers can trust the certificate") != [])
