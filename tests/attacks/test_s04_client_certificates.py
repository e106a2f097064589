"""`--client-ca`: whose reviews are answered, by a gate in a process of its own. Probes never need a certificate."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.command import run_patchgate
from tests.conftest import Gate, read_recorded, run_gate

SERVER_CA, CLIENT_CA, NEXT_CA, STRANGER_CA = (trustme.CA() for _ in range(4))
NAME = "kube-apiserver-webhooks"
REVIEW = read_recorded("pod-create")
Runner = Callable[..., AbstractContextManager[Gate]]


def prepare(tmp_path: Path, shop: Path) -> Runner:
    """Prepare to run a gate that asks its callers for a certificate of CLIENT_CA. tmp_path: for its files."""
    leaf = SERVER_CA.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
    leaf.private_key_pem.write_to_path(tmp_path / "tls.key")
    SERVER_CA.cert_pem.write_to_path(tmp_path / "ca.crt")
    CLIENT_CA.cert_pem.write_to_path(tmp_path / "client-ca.crt")
    own = ("--tls-cert", str(tmp_path / "tls.crt"), "--tls-key", str(tmp_path / "tls.key"))

    @contextmanager
    def run_asking(auth: str, *arguments: str) -> Iterator[Gate]:
        asked = ("--client-ca", str(tmp_path / "client-ca.crt"), "--client-auth", auth)
        with run_gate(shop, tmp_path / "ca.crt", *own, *asked, *arguments) as gate:
            yield gate

    return run_asking


@pytest.fixture
def run(tmp_path: Path, shop: Path) -> Runner:
    return prepare(tmp_path, shop)


def show(gate: Gate, ca: trustme.CA | None, name: str = NAME, *, version: ssl.TLSVersion | None = None) -> None:
    """Have the gate's caller show a certificate from now on; none without a CA."""
    gate.trust = ssl.create_default_context()
    SERVER_CA.configure_trust(gate.trust)
    if version:
        gate.trust.minimum_version = gate.trust.maximum_version = version
    if ca:
        ca.issue_cert(common_name=name).configure_cert(gate.trust)


def review(gate: Gate, path: str = "/validate/enforce") -> int:
    return gate.ask("POST", path, REVIEW, {"Content-Type": "application/json"}).status


def count(gate: Gate, fault: str) -> float:
    return gate.metric(f'patchgate_uncertified_callers_total{{fault="{fault}"}}')


@pytest.fixture(scope="module")
def required(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate that requires a certificate of CLIENT_CA, of any name."""
    with prepare(tmp_path_factory.mktemp("required"), shop)("require") as gate:
        yield gate


class TestRequire:
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
    def test_a_caller_with_a_certificate_of_the_ca_is_answered(self, required: Gate, version: ssl.TLSVersion) -> None:
        show(required, CLIENT_CA, version=version)
        assert review(required) == 200

    @pytest.mark.parametrize(
        "path",
        ["/validate/enforce", "/validate/audit", "/%76alidate/enforce", "//validate/enforce", "/validate/no-such-mode"],
    )
    def test_a_caller_without_one_is_refused_however_the_path_is_spelled(self, required: Gate, path: str) -> None:
        show(required, None)
        answer = required.ask("POST", path, REVIEW, {"Content-Type": "application/json"})
        assert answer.status in {403, 404}
        assert answer.status == 403 or path.startswith("//")
        assert answer.json["allowed"] is False

    def test_it_is_told_what_is_missing_and_people_are_too(self, required: Gate) -> None:
        before = count(required, "none")
        show(required, None)
        assert "shows no client certificate" in required.ask("POST", "/validate/enforce", REVIEW).json["message"]
        assert count(required, "none") == before + 1
        required.wait_until(lambda: required.events("caller_without_certificate") != [])
        line = required.events("caller_without_certificate")[0]
        assert (line["addresses"], line["client_auth"]) == (["127.0.0.1"], "require")
        said = required.ask("GET", "/readyz?verbose").text
        assert "client certificates: a caller shows no client certificate and was refused" in said

    def test_it_is_refused_before_its_body_is_read(self, required: Gate) -> None:
        show(required, None)
        head = "POST /validate/enforce HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\n"
        with required.open_tls() as connection:
            connection.sendall(f"{head}Content-Length: 7000000\r\n\r\n".encode())
            received = b""
            while part := connection.recv(65536):
                received += part
        assert received.startswith(b"HTTP/1.1 403 ")
        assert b"connection: close" in received.lower()

    def test_probes_and_decisions_need_none(self, required: Gate) -> None:
        before = count(required, "none")
        show(required, None)
        assert required.ask("GET", "/livez").status == required.ask("GET", "/readyz").status == 200
        assert required.ask("POST", "/v1/decisions", {"images": ["nginx"]}).status == 200
        assert count(required, "none") == before

    def test_a_certificate_of_another_ca_does_not_pass_tls(self, required: Gate) -> None:
        show(required, STRANGER_CA)
        with pytest.raises(OSError, match=r"unknown.ca|UNKNOWN_CA|EOF|reset|closed"):
            review(required)
        required.wait_until(lambda: count(required, "untrusted") >= 1)
        said = "shows a client certificate that --client-ca does not verify"
        required.wait_until(lambda: said in [each["fault"] for each in required.events("caller_without_certificate")])

    def test_one_that_has_expired_does_not_pass_tls(self, required: Gate) -> None:
        show(required, None)
        past = datetime.now(UTC) - timedelta(days=1)
        CLIENT_CA.issue_cert(common_name=NAME, not_after=past).configure_cert(required.trust)
        with pytest.raises(OSError, match=r"expired|EXPIRED|EOF|reset|closed"):
            review(required)


class TestNames:
    def test_another_name_of_the_same_ca_is_refused(self, run: Runner) -> None:
        with run("require", "--client-name", NAME, "--client-name", "other") as gate:
            for name, status in ((NAME, 200), ("other", 200), ("kubelet", 403)):
                show(gate, CLIENT_CA, name)
                assert review(gate) == status
            assert count(gate, "name") == 1

    def test_a_dns_name_is_a_name_too(self, run: Runner) -> None:
        with run("require", "--client-name", "kube-apiserver.example.com") as gate:
            show(gate, None)
            CLIENT_CA.issue_cert("kube-apiserver.example.com").configure_cert(gate.trust)
            assert review(gate) == 200


class TestObserve:
    def test_everybody_is_answered_and_those_without_one_are_counted(self, run: Runner) -> None:
        with run("observe", "--client-name", NAME) as gate:
            for ca, name in ((CLIENT_CA, NAME), (None, ""), (CLIENT_CA, "other")):
                show(gate, ca, name)
                assert review(gate) == 200
            assert (count(gate, "none"), count(gate, "name")) == (1, 1)
            assert "was answered" in gate.ask("GET", "/readyz?verbose").text


class TestRotation:
    def test_the_ca_changes_under_a_running_gate(self, run: Runner, tmp_path: Path) -> None:
        with run("require") as gate:
            show(gate, CLIENT_CA)
            assert review(gate) == 200
            both = CLIENT_CA.cert_pem.bytes() + NEXT_CA.cert_pem.bytes()
            (tmp_path / "client-ca.crt").write_bytes(both)
            gate.wait_until(lambda: gate.events("client_ca_loaded") != [])
            assert review(gate) == 200
            show(gate, NEXT_CA)
            assert review(gate) == 200
            (tmp_path / "client-ca.crt").write_bytes(NEXT_CA.cert_pem.bytes())
            gate.wait_until(lambda: len(gate.events("client_ca_loaded")) == 2)
            assert review(gate) == 200
            show(gate, CLIENT_CA)
            with pytest.raises(OSError, match=r"unknown.ca|UNKNOWN_CA|EOF|reset|closed"):
                review(gate)

    def test_a_file_that_holds_no_ca_leaves_the_one_before_in_force(self, run: Runner, tmp_path: Path) -> None:
        with run("require") as gate:
            show(gate, CLIENT_CA)
            (tmp_path / "client-ca.crt").write_text("no certificate", encoding="utf-8")
            gate.wait_until(lambda: gate.events("client_ca_refused") != [])
            assert review(gate) == 200
            show(gate, None)
            assert review(gate) == 403

    def test_the_gate_s_own_certificate_still_changes(self, run: Runner, tmp_path: Path) -> None:
        with run("require") as gate:
            show(gate, CLIENT_CA)
            leaf = SERVER_CA.issue_cert("127.0.0.1")
            leaf.private_key_pem.write_to_path(tmp_path / "tls.key")
            leaf.cert_chain_pems[0].write_to_path(tmp_path / "tls.crt")
            gate.wait_until(lambda: gate.events("certificate loaded") != [])
            assert review(gate) == 200
            show(gate, None)
            assert review(gate) == 403


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--client-auth", "require"), "--client-auth and --client-name need --client-ca FILE"),
        (("--client-name", "kube-apiserver"), "--client-auth and --client-name need --client-ca FILE"),
        (("--client-ca", "/no/such/file"), "--client-ca /no/such/file: No such file or directory"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    capsys: pytest.CaptureFixture[str], shop: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    own = ("--source", str(shop), "--self-signed", str(tmp_path), "--listen", "127.0.0.1:0")
    code, _, err = run_patchgate(capsys, "serve", *own, "--ops-listen", "127.0.0.1:0", *arguments)
    assert code == 2
    assert said in err.splitlines()[-1]
