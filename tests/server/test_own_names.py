"""The ops listener answers a browser on its own machine under no name that a stranger may own."""

import asyncio
import http.client
from typing import TYPE_CHECKING

import pytest

from patchgate.server.own_names import OwnNames
from tests.conftest import Gate

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def ask(client: str | None, *hosts: str) -> int:
    """The status of what such a client asks under such names."""
    sent: list[Message] = []

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> "Message":
        return {"type": "http.request"}

    async def send(message: "Message") -> None:
        sent.append(message)

    headers = [(b"host", host.encode("latin-1")) for host in hosts]
    scope = {"type": "http", "client": (client, 1234) if client else None, "headers": headers}
    asyncio.run(OwnNames(app)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("client", ["127.0.0.1", "127.0.0.6", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host",
    ["evil.example.com", "evil.com:8080", "EVIL.COM.", "127.0.0.1.evil.com:8080", "localhost.evil.com", "e\xefl.com"],
)
def test_a_loopback_caller_is_refused_under_a_strangers_name(client: str, host: str) -> None:
    assert ask(client, host) == 421


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8080",
        "[::1]:8080",
        "[::1]",
        "10.1.2.3",
        "localhost:8080",
        "LOCALHOST.",
        "gate.test:8080",
        "patchgate",
        "patchgate.copa-system.svc:8080",
        "patchgate.copa-system.svc.cluster.local",
        "",
    ],
)
def test_a_loopback_caller_is_answered_under_a_name_of_nobodys(host: str) -> None:
    assert ask("127.0.0.1", host) == 200
    assert ask("127.0.0.1") == 200


@pytest.mark.parametrize("client", ["10.1.2.3", "2001:db8::1", None, "a-socket"])
def test_whoever_comes_through_a_network_may_have_a_proxy_with_a_name(client: str | None) -> None:
    assert ask(client, "patchgate.example.com") == 200


def test_one_strange_name_among_several_is_refused() -> None:
    assert ask("127.0.0.1", "localhost", "evil.example.com") == 421


@pytest.mark.parametrize("path", ["/", "/v1/images", "/metrics", "/nothing"])
def test_a_running_gate_refuses_it_everywhere(gate: Gate, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gate.ops_port, timeout=60)
    connection.request("GET", path, headers={"Host": "evil.example.com"})
    answer = connection.getresponse()
    assert (answer.status, b"127.0.0.1 or localhost" in answer.read()) == (421, True)
    connection.close()
