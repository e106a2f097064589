"""The three ways to a certificate."""

from tests.chart.rendering import Chart


def arguments(chart: Chart, values: dict[str, object]) -> list[str]:
    return list(chart.render(values).container("patchgate", "gate")["args"])


def test_by_itself_the_gate_keeps_a_secret_that_the_chart_makes_empty(chart: Chart) -> None:
    said = arguments(chart, {"certificates": {"days": 30}})
    assert {"--tls-secret=patchgate-certificate", "--issue-certificates", "--leaf-days=30", "--ca-days=3650"} <= {*said}
    assert chart.render().find("Secret", "patchgate-certificate")["type"] == "Opaque"


def test_cert_manager_makes_it_and_tells_kube_apiserver(chart: Chart) -> None:
    values: dict[str, object] = {"certificates": {"mode": "cert-manager"}}
    rendering = chart.render(values)
    certificate = rendering.find("Certificate", "patchgate")
    assert certificate["spec"]["dnsNames"][0] == "patchgate.copa-system.svc"
    assert f"--tls-secret={certificate['spec']['secretName']}" in arguments(chart, values)
    assert "--issue-certificates" not in arguments(chart, values)
    configuration = rendering.find("ValidatingWebhookConfiguration", "patchgate")
    assert configuration["metadata"]["annotations"] == {"cert-manager.io/inject-ca-from": "copa-system/patchgate"}
    assert not rendering.has("Secret", "patchgate-certificate")
    assert rendering.find("Issuer", "patchgate")["spec"] == {"ca": {"secretName": "patchgate-ca"}}
    assert rendering.find("Certificate", "patchgate-ca")["spec"]["privateKey"]["rotationPolicy"] == "Never"


def test_a_ca_of_cert_manager_s_outlives_what_callers_know_of_it(chart: Chart) -> None:
    """cert-manager renews at two thirds, and hands a new CA on when the leaf is next renewed."""
    lives = {"mode": "cert-manager", "days": 90}
    assert "certificates.caDays" in chart.refuse({"certificates": {**lives, "caDays": 179}})
    assert chart.render({"certificates": {**lives, "caDays": 180}}).has("Certificate", "patchgate-ca")
    own = {"certManager": {"issuerRef": {"name": "platform"}}}
    assert not chart.render({"certificates": {**lives, "caDays": 179, **own}}).has("Certificate", "patchgate-ca")


def test_an_issuer_of_yours_is_asked_instead(chart: Chart) -> None:
    issuer = {"name": "platform", "kind": "ClusterIssuer"}
    rendering = chart.render({"certificates": {"mode": "cert-manager", "certManager": {"issuerRef": issuer}}})
    assert rendering.find("Certificate", "patchgate")["spec"]["issuerRef"] == issuer
    assert not [each for each in rendering.list_names() if each.startswith("Issuer/")]


def test_a_secret_of_yours_is_read(chart: Chart) -> None:
    values: dict[str, object] = {"certificates": {"mode": "secret", "secret": {"name": "mine"}}}
    assert "--tls-secret=mine" in arguments(chart, values)
    assert "--issue-certificates" not in arguments(chart, values)
    assert "certificates.secret.name" in chart.refuse({"certificates": {"mode": "secret"}})
