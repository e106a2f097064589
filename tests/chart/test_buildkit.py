"""The three ways to a BuildKit."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from tests.chart.rendering import Chart, Object


def read_pair(secret: Object) -> tuple[x509.Certificate, x509.Certificate, bytes]:
    """Read CA, certificate and key."""
    data = {key: base64.b64decode(value) for key, value in secret["data"].items()}
    authority, certificate = (x509.load_pem_x509_certificate(data[key]) for key in ("ca.crt", "tls.crt"))
    return authority, certificate, data["tls.key"]


def test_unless_told_otherwise_it_has_a_namespace_of_its_own_that_pod_security_leaves_alone(chart: Chart) -> None:
    rendering = chart.render()
    labels = rendering.find("Namespace", "copa-buildkit")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    inside = [each for each in rendering.objects if each["metadata"].get("namespace") == "copa-buildkit"]
    kinds = {"ConfigMap", "Deployment", "NetworkPolicy", "Secret", "Service", "ServiceAccount"}
    assert {each["kind"] for each in inside} == kinds


def test_it_answers_the_patcher_alone(chart: Chart) -> None:
    spec = chart.render().find("NetworkPolicy", "patchgate-buildkit")["spec"]
    assert spec["podSelector"] == {}
    (ingress,) = spec["ingress"]
    (peer,) = ingress["from"]
    assert peer["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "copa-system"}
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "patcher"


@pytest.mark.parametrize("mode", ["self", "cert-manager"])
def test_both_ends_know_each_other_by_one_ca_whose_key_nobody_keeps(chart: Chart, mode: str) -> None:
    rendering = chart.render({"certificates": {"mode": mode}})
    client, server = (rendering.find("Secret", f"patchgate-buildkit-{end}") for end in ("client", "server"))
    authority, certificate, key = read_pair(server)
    assert read_pair(client)[0] == authority
    assert {*client["data"], *server["data"]} == {"ca.crt", "tls.crt", "tls.key"}
    builder = PolicyBuilder().store(Store([authority]))
    for name in ("patchgate-buildkit.copa-buildkit.svc", "patchgate-buildkit.copa-buildkit.svc.cluster.local"):
        builder.build_server_verifier(x509.DNSName(name)).verify(certificate, [])
    builder.build_client_verifier().verify(read_pair(client)[1], [])
    assert load_pem_private_key(key, None).public_key() == certificate.public_key()
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usage


def test_the_patcher_reaches_it_by_its_service_with_that_certificate(chart: Chart) -> None:
    container = chart.render().container("copa-image-patcher", "patcher")
    assert "--buildkit=tcp://patchgate-buildkit.copa-buildkit.svc:1234" in container["args"]
    (mount,) = [each for each in container["volumeMounts"] if each["name"] == "buildkit-client"]
    assert f"--buildkit-cacert={mount['mountPath']}/ca.crt" in container["args"]


def test_certificates_of_yours_are_used_and_none_are_made(chart: Chart) -> None:
    rendering = chart.render({"buildkit": {"clientSecret": "mine", "serverSecret": "its"}})
    assert not [each for each in rendering.list_names() if each.startswith("Secret/patchgate-buildkit")]
    named = {
        workload: [each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each]
        for workload, pod in rendering.pods.items()
    }
    assert "mine" in named["copa-image-patcher"]
    assert named["patchgate-buildkit"] == ["its"]


def test_one_of_the_two_alone_is_refused(chart: Chart) -> None:
    assert "give clientSecret too" in chart.refuse({"buildkit": {"serverSecret": "its"}})
    assert "give serverSecret too" in chart.refuse({"buildkit": {"clientSecret": "mine"}})


def test_our_own_namespace_cannot_be_its_own(chart: Chart) -> None:
    assert "buildkit.namespace" in chart.refuse({"buildkit": {"namespace": "copa-system"}})


def test_as_a_sidecar_it_starts_first_and_ends_with_the_patcher(chart: Chart) -> None:
    rendering = chart.render({"buildkit": {"mode": "sidecar"}})
    sidecar = rendering.container("copa-image-patcher", "buildkitd")
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["exec"]["command"][0] == "buildctl"
    (init,) = rendering.pods["copa-image-patcher"]["spec"]["initContainers"]
    assert init == sidecar
    assert (
        "--buildkit=unix:///run/buildkit/buildkitd.sock" in rendering.container("copa-image-patcher", "patcher")["args"]
    )
    assert not rendering.has("Namespace", "copa-buildkit")


def test_an_external_one_is_asked_where_it_is(chart: Chart) -> None:
    rendering = chart.render({"buildkit": {"mode": "external", "address": "tcp://b.example.com:1"}})
    arguments = rendering.container("copa-image-patcher", "patcher")["args"]
    assert "--buildkit=tcp://b.example.com:1" in arguments
    assert not [each for each in arguments if each.startswith("--buildkit-")]
    assert "buildkit.address" in chart.refuse({"buildkit": {"mode": "external"}})


def test_registries_are_named_in_its_own_words(chart: Chart) -> None:
    registries = [{"host": "ghcr.io", "mirrors": ["m.example.com/g"]}, {"host": "r:5000", "http": True}]
    rendering = chart.render({"buildkit": {"registries": registries}})
    assert rendering.find("ConfigMap", "patchgate-buildkit")["data"]["buildkitd.toml"] == (
        '[worker.oci]\n  gc = true\n  maxUsedSpace = "10GB"\n'
        '\n[registry."ghcr.io"]\n  mirrors = ["m.example.com/g"]\n'
        '\n[registry."r:5000"]\n  http = true\n'
    )
