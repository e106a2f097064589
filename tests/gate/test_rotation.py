"""Certificate and key in files are changed under a running gate: what is served, what is kept, what is said of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509

from tests.conftest import Gate, read_recorded, run_gate
from tests.traffic import Traffic, keep_asking

OLD, NEW = trustme.CA(), trustme.CA()
REFUSED = "certificate refused; the one before goes on"


@dataclass
class Files:
    """The pair as the gate reads it, mounted as the kubelet mounts a Secret: links through `..data`, swapped whole."""

    directory: Path
    days: int = 0
    serial: int = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        return "--tls-cert", str(self.directory / "tls.crt"), "--tls-key", str(self.directory / "tls.key")

    def issue(self, ca: trustme.CA) -> dict[str, bytes]:
        """A pair that expires on a day of its own."""
        self.days += 1
        leaf = ca.issue_cert("127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=self.days))
        certificate = leaf.cert_chain_pems[0].bytes()
        self.serial = x509.load_pem_x509_certificate(certificate).serial_number
        return {"tls.crt": certificate, "tls.key": leaf.private_key_pem.bytes()}

    def put(self, content: dict[str, bytes]) -> None:
        version = self.directory / f"..{len(list(self.directory.iterdir()))}"
        version.mkdir()
        for name, text in content.items():
            (version / name).write_bytes(text)
        (self.directory / "..new").symlink_to(version.name)
        (self.directory / "..new").rename(self.directory / "..data")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("pair")
    for name in ("tls.crt", "tls.key"):
        (directory / name).symlink_to(f"..data/{name}")
    files = Files(directory)
    files.put(files.issue(OLD))
    return files


@pytest.fixture(scope="module")
def gate(files: Files, shop: Path) -> Iterator[Gate]:
    """A gate whose callers trust both CAs, as they do while the CA changes."""
    (files.directory / "ca.crt").write_bytes(OLD.cert_pem.bytes() + NEW.cert_pem.bytes())
    with run_gate(shop, files.directory / "ca.crt", *files.arguments) as running:
        yield running


def see_served(gate: Gate) -> x509.Certificate:
    with gate.open_tls() as connection:
        shown = connection.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)


def loads(gate: Gate, result: str) -> float:
    return gate.metric(f'patchgate_certificate_loads_total{{result="{result}"}}')


def wait_until_served(gate: Gate, files: Files) -> None:
    gate.wait_until(lambda: see_served(gate).serial_number == files.serial)


@pytest.mark.parametrize("ca", [OLD, NEW], ids=["a new leaf of the same CA", "a new CA"])
def test_a_new_pair_is_served_to_new_connections_and_open_ones_go_on(gate: Gate, files: Files, ca: trustme.CA) -> None:
    connection = gate.connect()
    connection.connect()
    opened, loaded = connection.sock, loads(gate, "loaded")
    files.put(files.issue(ca))
    wait_until_served(gate, files)
    served = see_served(gate)
    assert served.issuer == x509.load_pem_x509_certificate(ca.cert_pem.bytes()).subject
    connection.request("POST", "/validate/enforce", read_recorded("pod-create"), {"Content-Type": "application/json"})
    response = connection.getresponse()
    assert (response.status, len(response.read()) > 0, connection.sock is opened) == (200, True, True)
    connection.close()
    assert loads(gate, "loaded") == loaded + 1
    expiry = served.not_valid_after_utc
    assert gate.metric("patchgate_certificate_expiry_timestamp_seconds") == expiry.timestamp()
    said = (f"{files.serial:x}", expiry.isoformat())
    gate.wait_until(lambda: said in [(line["serial"], line["expires"]) for line in gate.events("certificate loaded")])


FAULTS: dict[str, tuple[Callable[[dict[str, bytes], dict[str, bytes]], dict[str, bytes]], str]] = {
    "another's key": (lambda new, other: new | {"tls.key": other["tls.key"]}, "KEY_VALUES_MISMATCH"),
    "a certificate half written": (lambda new, _: new | {"tls.crt": new["tls.crt"][:300]}, "not a pair that serves"),
    "a key that is not there yet": (lambda new, _: {"tls.crt": new["tls.crt"]}, "No such file or directory"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pair_that_does_not_serve_leaves_the_one_before_until_it_is_mended(
    gate: Gate, files: Files, fault: str
) -> None:
    serving, refused, expiry = files.serial, loads(gate, "refused"), see_served(gate).not_valid_after_utc
    spoil, why = FAULTS[fault]
    files.put(spoil(files.issue(OLD), files.issue(OLD)))
    gate.wait_until(lambda: loads(gate, "refused") > refused)
    assert see_served(gate).serial_number == serving
    assert gate.ask("GET", "/readyz").status == 200
    assert gate.metric("patchgate_certificate_expiry_timestamp_seconds") == expiry.timestamp()
    files.put(files.issue(OLD))
    wait_until_served(gate, files)
    assert loads(gate, "refused") == refused + 1
    assert why in gate.events(REFUSED)[-1]["why"]
    assert len(gate.events(REFUSED)) == refused + 1


def wait_for_more_answers(gate: Gate, traffic: Traffic) -> None:
    least = 10 + max(caller.answered for caller in traffic.callers)
    gate.wait_until(lambda: traffic.each_has(lambda caller: caller.answered, least))


def test_no_request_is_lost_while_certificates_change_under_load(gate: Gate, files: Files) -> None:
    with keep_asking(gate) as keeping, keep_asking(gate, requests_a_connection=5) as connecting:
        for ca in (OLD, NEW):
            files.put(files.issue(ca))
            wait_until_served(gate, files)
            wait_for_more_answers(gate, keeping)
            wait_for_more_answers(gate, connecting)
    assert keeping.faults + connecting.faults == []
    assert (keeping.lost, connecting.lost) == (0, 0)


def test_an_expired_pair_at_the_start_is_said_and_another_one_makes_the_gate_ready(tmp_path: Path, shop: Path) -> None:
    for name in ("tls.crt", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    files = Files(tmp_path, days=-2)
    files.put(files.issue(OLD))
    with run_gate(shop, None, *files.arguments) as expired:
        said = "not ready: no caller can trust the certificate"
        expired.wait_until(lambda: expired.events(said) != [])
        assert expired.events(said)[0]["why"].startswith("the certificate expired on ")
        assert expired.ask("GET", "/readyz").status == 503
        assert "not ready: the certificate expired on " in expired.ask("GET", "/readyz?verbose").text
        assert expired.metric("patchgate_ready") == 0
        assert expired.ask_ops("/").status == 503
        assert "Not ready: the certificate expired on " in expired.ask_ops("/").text
        files.days = 3
        files.put(files.issue(OLD))
        expired.wait_until_ready()
        wait_until_served(expired, files)
        assert expired.metric("patchgate_certificate_last_load_timestamp_seconds") > 0
