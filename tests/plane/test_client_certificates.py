"""`--client-ca` with the real kube-apiserver, which shows a certificate by its AdmissionConfiguration."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.conftest import Gate, run_gate
from tests.plane.conftest import PlaneRunner
from tests.plane.control_plane import Plane, wait_until
from tests.plane.kubectl import Kubectl
from tests.plane.manifests import pod
from tests.plane.webhooks import LOOPBACK, MODE_LABEL, SYSTEM, configure
from tests.plane.world import API, API_USE, NOT_TRACKED
from tests.ports import choose_ports

REFUSED = ("PatchAvailable", f"{API}: a patched image is available; use {API_USE}")
NAME = "kube-apiserver-webhooks"
CLIENT_CA = trustme.CA()
UNKNOWN = "unknown"
"""Name of the Service for which kube-apiserver has no certificate."""


@dataclass(frozen=True)
class Site:
    """A control plane whose kube-apiserver has a certificate for two webhooks: one by Service, one by URL."""

    plane: Plane
    world: Path
    ports: Mapping[str, int]
    client_ca: Path

    @contextlib.contextmanager
    def guard(self, name: str, auth: str, failure_policy: str = "Fail") -> Iterator[tuple[Gate, Kubectl]]:
        """Run a gate as the webhook of that name, until the block ends; gives kubectl in a namespace of its own."""
        credentials, port = self.plane.credentials, self.ports[name]
        certificate, key = credentials.issue_server(name, f"{name}.{SYSTEM}.svc", "127.0.0.1")
        own = ["--tls-cert", str(certificate), "--tls-key", str(key), "--listen", f"127.0.0.1:{port}"]
        asked = ["--client-ca", str(self.client_ca), "--client-auth", auth, "--client-name", NAME]
        configuration = configure(name, port, credentials.ca.read_bytes(), {"failurePolicy": failure_policy})
        if name == "url":
            for webhook in configuration["webhooks"]:
                client = webhook["clientConfig"]
                client["url"] = f"https://127.0.0.1:{port}{client.pop('service')['path']}"
        namespace = self.plane.kubectl.inside(f"{name}-{auth}-{failure_policy}".lower())
        with run_gate(self.world, credentials.ca, *own, *asked) as gate:
            self.plane.make_namespace(namespace.namespace, {"guard": name, MODE_LABEL: "enforce"})
            self.plane.kubectl.do("create", "-f", "-", given=configuration)
            try:
                yield gate, namespace
            finally:
                self.plane.kubectl.do("delete", "validatingwebhookconfiguration", name)


@pytest.fixture(scope="module")
def site(run_own_plane: PlaneRunner, world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("clients")
    ports = dict(zip(("service", "url", UNKNOWN), choose_ports(3), strict=True))
    CLIENT_CA.cert_pem.write_to_path(folder / "client-ca.crt")
    pair = CLIENT_CA.issue_cert(common_name=NAME)
    pair.cert_chain_pems[0].write_to_path(folder / "client.crt")
    pair.private_key_pem.write_to_path(folder / "client.key")
    names = (f"service.{SYSTEM}.svc:{ports['service']}", f"127.0.0.1:{ports['url']}")
    file = write_admission_configuration(folder, names)
    with run_own_plane(f"--admission-control-config-file={file}") as plane:
        plane.make_namespace(SYSTEM)
        for name in ("service", UNKNOWN):
            service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": dict(LOOPBACK)}
            plane.kubectl.inside(SYSTEM).do("create", "-f", "-", given=service)
        yield Site(plane, world, ports, folder / "client-ca.crt")


def write_admission_configuration(folder: Path, names: tuple[str, ...]) -> Path:
    """Write the files of docs/client-certificates.md; JSON is YAML too."""
    user = {"client-certificate": str(folder / "client.crt"), "client-key": str(folder / "client.key")}
    kubeconfig = folder / "webhook.kubeconfig"
    users = [{"name": name, "user": user} for name in names]
    kubeconfig.write_text(json.dumps({"apiVersion": "v1", "kind": "Config", "users": users}), encoding="utf-8")
    configuration = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "WebhookAdmissionConfiguration",
        "kubeConfigFile": str(kubeconfig),
    }
    plugins = [
        {"name": f"{kind}AdmissionWebhook", "configuration": configuration} for kind in ("Validating", "Mutating")
    ]
    file = folder / "admission.yaml"
    api = {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration"}
    file.write_text(json.dumps({**api, "plugins": plugins}), encoding="utf-8")
    return file


def count(gate: Gate) -> float:
    return gate.metric('patchgate_uncertified_callers_total{fault="none"}')


@pytest.mark.parametrize("name", ["service", "url"])
def test_a_review_comes_with_the_certificate_and_is_answered(site: Site, name: str) -> None:
    with site.guard(name, "require") as (gate, namespace):
        wait_until(lambda: not namespace.create(pod("no@@reference"), "--dry-run=server").is_admitted, "in force")
        assert namespace.create(pod(API)).refusal == REFUSED
        assert namespace.create(pod(NOT_TRACKED)).is_admitted
        assert count(gate) == 0


class TestWithoutAnEntry:
    """kube-apiserver has no certificate for this webhook."""

    def test_require_and_fail_refuse_and_say_why(self, site: Site) -> None:
        with site.guard(UNKNOWN, "require") as (gate, namespace):
            wait_until(lambda: not namespace.create(pod(NOT_TRACKED), "--dry-run=server").is_admitted, "in force")
            said = namespace.create(pod(NOT_TRACKED)).errors
            assert "failed calling webhook" in said
            assert count(gate) > 0
            assert "shows no client certificate and was refused" in gate.ask("GET", "/readyz?verbose").text

    def test_require_and_ignore_let_everything_in_which_is_counted(self, site: Site) -> None:
        with site.guard(UNKNOWN, "require", "Ignore") as (gate, namespace):
            wait_until(lambda: namespace.create(pod(API), "--dry-run=server").is_admitted and count(gate), "in force")
            assert namespace.create(pod(API)).is_admitted

    def test_observe_answers_and_counts(self, site: Site) -> None:
        with site.guard(UNKNOWN, "observe") as (gate, namespace):
            wait_until(lambda: not namespace.create(pod("no@@reference"), "--dry-run=server").is_admitted, "in force")
            assert namespace.create(pod(API)).refusal == REFUSED
            assert count(gate) > 0
            assert "was answered" in gate.ask("GET", "/readyz?verbose").text
