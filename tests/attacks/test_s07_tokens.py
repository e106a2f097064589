"""S7: any Pod may project a token of any audience; only users who are named get in, as the real kube-apiserver says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Gate, run_gate
from tests.plane.control_plane import Plane

AUDIENCE = "kyverno-svc.kyverno.io"
ADMISSION = "kyverno-admission-controller"


@pytest.fixture(scope="module")
def kubeconfig(plane: Plane) -> Path:
    """A gate's, which may review tokens; and service accounts in two namespaces."""
    right = ("--verb=create", "--resource=tokenreviews.authentication.k8s.io")
    plane.kubectl.do("create", "clusterrole", "token-gate", *right)
    plane.kubectl.do("create", "clusterrolebinding", "token-gate", "--clusterrole=token-gate", "--user=token-gate")
    for namespace in ("kyverno", "shop"):
        inside = plane.kubectl.inside(namespace)
        if not inside.ask("get", "namespace", namespace).is_admitted:  # another attack made it
            plane.make_namespace(namespace)
        inside.do("create", "serviceaccount", ADMISSION)
        inside.do("create", "serviceaccount", "other")
    return plane.credentials.write_kubeconfig(plane.server, "token-gate")


@pytest.fixture(
    scope="module",
    params=[
        (),
        ("--token-user", "system:serviceaccount:shop:other", "--token-user", "system:serviceaccount:kyverno:*"),
    ],
    ids=["as it comes", "users named"],
)
def gate(
    request: pytest.FixtureRequest,
    plane: Plane,
    world: Path,
    kubeconfig: Path,
) -> Iterator[tuple[Gate, bool]]:
    """A gate that asks for tokens, and whether it names users of its own."""
    certificate, key = plane.credentials.issue_server("token-gate-tls", "127.0.0.1")
    pair = ("--tls-cert", str(certificate), "--tls-key", str(key), "--token-audience", AUDIENCE)
    environment = {"KUBECONFIG": str(kubeconfig)}
    with run_gate(world, plane.credentials.ca, *pair, *request.param, environment=environment) as running:
        yield running, bool(request.param)


def ask(gate: Gate, plane: Plane, namespace: str, account: str) -> int:
    token = plane.kubectl.inside(namespace).do("create", "token", account, "--audience", AUDIENCE).out.strip()
    question = {"images": ["docker.io/library/busybox:1.37"]}
    return gate.ask("POST", "/v1/decisions", question, {"Authorization": f"Bearer {token}"}).status


@pytest.mark.parametrize(
    ("namespace", "account", "statuses"),
    [
        ("kyverno", ADMISSION, (200, 200)),
        ("kyverno", "other", (401, 200)),
        ("shop", "other", (401, 200)),
        ("shop", ADMISSION, (401, 401)),
        ("shop", "default", (401, 401)),
    ],
)
def test_a_token_of_the_audience_is_accepted_of_named_users_alone(
    plane: Plane,
    gate: tuple[Gate, bool],
    namespace: str,
    account: str,
    statuses: tuple[int, int],
) -> None:
    running, names_users = gate
    assert ask(running, plane, namespace, account) == statuses[names_users]


def test_the_log_names_a_user_who_was_refused_and_no_token(
    plane: Plane,
    gate: tuple[Gate, bool],
) -> None:
    running, _ = gate
    assert ask(running, plane, "shop", "default") == 401
    user = "system:serviceaccount:shop:default"
    running.wait_until(lambda: user in [each["user"] for each in running.events("token_user_refused")])
