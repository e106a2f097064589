"""Which connections are kept: kube-apiserver's longer than it keeps them itself, Kyverno's not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from patchgate.server.serve import Server, listen
from tests.conftest import API, Gate, GateRunner, make_gate_app, read_recorded

AS_JSON = {"Content-Type": "application/json"}
V1 = [("POST", "/v1/decisions"), ("GET", "/v1/catalog"), ("GET", "/v1/none"), ("PUT", "/v1/decisions")]


@pytest.fixture(scope="module")
def keeping(shop: Path, self_signed: GateRunner) -> Iterator[Gate]:
    with self_signed(shop, "--keep-v1") as running:
        yield running


def ask(gate: Gate, method: str, path: str) -> str | None:
    return gate.ask(method, path, {"images": [API]} if method == "POST" else None).headers.get("connection")


@pytest.mark.parametrize(("method", "path"), V1)
def test_answers_of_v1_close_their_connection(gate: Gate, method: str, path: str) -> None:
    connection = gate.connect()
    connection.request(method, path, b'{"images": []}' if method == "POST" else None)
    response = connection.getresponse()
    response.read()
    assert response.getheader("connection") == "close"
    assert connection.sock is None  # the client closed it as it was told


@pytest.mark.parametrize(("method", "path"), V1)
def test_answers_of_v1_keep_it_where_the_operator_said_so(keeping: Gate, method: str, path: str) -> None:
    assert ask(keeping, method, path) is None


@pytest.mark.parametrize("path", ["/validate/enforce", "/validate/warn", "/validate/audit", "/validate/v1/"])
def test_answers_to_reviews_keep_theirs(gate: Gate, path: str) -> None:
    assert "connection" not in gate.ask("POST", path, read_recorded("pod-create"), AS_JSON).headers


def test_the_ops_listener_keeps_its_own(gate: Gate) -> None:
    assert [gate.ask_ops(path).headers.get("connection") for path in ("/v1/images", "/metrics")] == [None, None]


def test_an_idle_connection_is_kept_for_longer_than_the_90_s_of_kube_apiserver() -> None:
    with listen("--listen", "127.0.0.1", 0) as listener:
        assert Server(make_gate_app(), listener, None).config.timeout_keep_alive == 120
