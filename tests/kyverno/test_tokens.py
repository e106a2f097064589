"""`--token-audience`: whose a bearer token is, asked of the real kube-apiserver; Kyverno's own calls bring one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.rendering import Chart
from tests.conftest import Gate, run_gate
from tests.kyverno.controllers import WAIT_SECONDS, Kyverno
from tests.kyverno.policies import apply, enforce, render_policies, say
from tests.plane.conftest import PlaneRunner
from tests.plane.control_plane import Plane
from tests.plane.manifests import pod
from tests.plane.world import API, API_PATCHED, API_USE

AUDIENCE = "kyverno-svc.kyverno.io"
QUESTION = {"images": ["docker.io/library/busybox:1.37"]}


def make_token(plane: Plane, *flags: str) -> str:
    return plane.kubectl.do("create", "token", "default", *flags).out.strip()


def bear(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@contextlib.contextmanager
def run_guarded(plane: Plane, world: Path, pair: list[str], *, is_allowed: bool = True) -> Iterator[Gate]:
    """Run a gate that asks for tokens, as a user of its own. is_allowed: whether that user may review them."""
    name = "token-gate" if is_allowed else "token-gate-without-rights"
    kubeconfig = plane.credentials.write_kubeconfig(plane.server, name)
    if is_allowed and not plane.kubectl.ask("get", "clusterrole", name).is_admitted:
        right = ("--verb=create", "--resource=tokenreviews.authentication.k8s.io")
        plane.kubectl.do("create", "clusterrole", name, *right)
        plane.kubectl.do("create", "clusterrolebinding", name, f"--clusterrole={name}", f"--user={name}")
    environment = {"KUBECONFIG": str(kubeconfig)}
    users = [f"--token-user=system:serviceaccount:{name}" for name in ("default:default", "kyverno:kyverno-*")]
    asked = ("--token-audience", AUDIENCE, *users)
    with run_gate(world, plane.credentials.ca, *pair, *asked, environment=environment) as gate:
        yield gate


@pytest.fixture(scope="module")
def guarded(plane: Plane, world: Path, pair: list[str]) -> Iterator[Gate]:
    with run_guarded(plane, world, pair) as gate:
        gate.wait_until(lambda: ask(gate, make_token(plane, "--audience", AUDIENCE)) == 200, WAIT_SECONDS)
        yield gate


def ask(gate: Gate, token: str | None) -> int:
    return gate.ask("POST", "/v1/decisions", QUESTION, bear(token) if token else {}).status


def test_a_token_for_the_audience_is_answered(plane: Plane, guarded: Gate) -> None:
    token = make_token(plane, "--audience", AUDIENCE)
    assert ask(guarded, token) == 200
    assert guarded.ask("GET", "/v1/catalog", None, bear(token)).status == 200


def test_no_token_a_wrong_one_and_one_for_another_audience_get_401(plane: Plane, guarded: Gate) -> None:
    assert ask(guarded, None) == 401
    assert ask(guarded, "made.up.token") == 401
    assert ask(guarded, make_token(plane)) == 401, "a token for kube-apiserver itself"
    assert ask(guarded, make_token(plane, "--audience", "somebody.else")) == 401
    assert guarded.ask("GET", "/v1/catalog").status == 401


def test_reviews_and_probes_need_none(guarded: Gate) -> None:
    assert guarded.ask("GET", "/readyz").status == 200
    assert guarded.ask("GET", "/livez").status == 200
    assert guarded.review({}).status == 400


def test_a_token_is_never_logged(plane: Plane, guarded: Gate) -> None:
    token = make_token(plane, "--audience", AUDIENCE)
    assert ask(guarded, token) == 200
    assert ask(guarded, "made.up.secret") == 401
    said = "".join(guarded.said)
    assert token not in said
    assert "made.up.secret" not in said


def test_without_the_right_to_ask_everybody_gets_503_and_it_is_said(plane: Plane, world: Path, pair: list[str]) -> None:
    with run_guarded(plane, world, pair, is_allowed=False) as gate:
        answer = gate.ask("POST", "/v1/decisions", QUESTION, bear(make_token(plane, "--audience", AUDIENCE)))
        assert (answer.status, answer.json["allowed"]) == (503, False)
        gate.wait_until(lambda: gate.events("no token can be checked") != [])
        assert "tokenreviews" in gate.events("no token can be checked")[0]["reason"]
        assert gate.metric('patchgate_errors_total{where="token"}') == 1


def test_with_kube_apiserver_gone_a_new_token_gets_503_and_a_known_one_is_answered(
    run_own_plane: PlaneRunner, world: Path
) -> None:
    with run_own_plane() as plane:
        certificate, key = plane.credentials.issue_server("gate", "127.0.0.1")
        pair = ["--tls-cert", str(certificate), "--tls-key", str(key)]
        with run_guarded(plane, world, pair) as gate:
            known, new = (make_token(plane, "--audience", AUDIENCE) for _ in range(2))
            gate.wait_until(lambda: ask(gate, known) == 200, WAIT_SECONDS)
            plane.api_server.end()
            assert ask(gate, new) == 503
            assert ask(gate, known) == 200
            plane.api_server.start()
            gate.wait_until(lambda: ask(gate, new) == 200, WAIT_SECONDS)


@pytest.mark.usefixtures("kyverno")
def test_kyverno_brings_its_token(plane: Plane, chart: Chart, guarded: Gate) -> None:
    with enforce(plane, chart, "clusterPolicy", f"https://127.0.0.1:{guarded.port}") as policies:
        assert policies.namespace.create(pod(API_PATCHED)).is_admitted
        assert f"{API}: a patched image is available" in say(policies.namespace.create(pod(API)))


@pytest.mark.usefixtures("kyverno")
def test_kyverno_brings_it_for_the_catalogue_too(plane: Plane, chart: Chart, guarded: Gate) -> None:
    url = f"https://127.0.0.1:{guarded.port}"
    with enforce(plane, chart, "catalog", url, requireApprovedDigest="Deny") as policies:
        assert policies.namespace.create(pod(API_USE)).is_admitted
        assert not policies.namespace.create(pod(API_PATCHED)).is_admitted


def test_its_cel_brings_none_so_everything_is_refused(
    plane: Plane, kyverno: Kyverno, chart: Chart, guarded: Gate
) -> None:
    (block,) = render_policies(
        chart, "validatingPolicy", url=f"https://127.0.0.1:{guarded.port}", failurePolicy="Fail",
        requireApprovedDigest="none",
    )  # fmt: skip
    namespace = plane.make_namespace("cel-without-token")
    with apply(plane, (block,)):
        kyverno.wait_until_refused(namespace, pod(API_PATCHED))
        assert "send a bearer token" in say(namespace.create(pod(API_PATCHED)))
