"""Where a registry may send us: other hosts by redirects, servers that give tokens, and never inside from outside."""

import re
import socket
import threading

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.oci.destination import (
    find_origin,
    find_realm_fault,
    find_redirect_fault,
    is_forbidden,
)
from patchgate.patcher.oci.patience import ForbiddenPeerError, Patience, check_peer
from tests.patcher.http_server import Asked, HttpServer, Reply
from tests.patcher.oci.conftest import PASSWORD, Opened, Servers, basic, login
from tests.world import digest

DIGEST = digest("api")
HERE = Reply(200, {"Docker-Content-Digest": DIGEST})
SECURE, PLAIN = "https://registry.example.com/v2/", "http://registry.corp:5000/v2/"


def is_plain(host: str) -> bool:
    return host in {"registry.corp:5000", "tokens.corp:5001", "10.0.0.5:5000"}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (SECURE, "https://storage.example.net/blob?signature=x"),
        (SECURE, "https://10.0.0.7:9000/blob"),  # MinIO beside a registry of the same network
        (PLAIN, "http://minio.corp:9000/blob"),
        (SECURE, "http://registry.corp:5000/blob"),
        ("https://127.0.0.1:5000/v2/", "https://127.0.0.1:9000/blob"),
    ],
)
def test_a_redirect_that_is_followed(url: str, target: str) -> None:
    assert not find_redirect_fault(url, target, is_plain)


@pytest.mark.parametrize(
    ("url", "target", "says"),
    [
        (SECURE, "http://registry.example.com/blob", "redirects to registry.example.com without TLS"),
        (SECURE, "http://storage.example.net/blob", "redirects to storage.example.net without TLS"),
        (SECURE, "https://127.0.0.1/blob", "an address of this machine or its cloud"),
        (SECURE, "https://[::1]:8443/blob", "an address of this machine or its cloud"),
        (SECURE, "https://localhost/blob", "an address of this machine or its cloud"),
        (SECURE, "https://localhost./blob", "an address of this machine or its cloud"),
        (SECURE, "https://x.localhost/blob", "an address of this machine or its cloud"),
        ("https://10.0.0.7/v2/", "https://127.0.0.1:1234/blob", "an address of this machine or its cloud"),
        (PLAIN, "http://168.63.129.16/machine", "an address of this machine or its cloud"),
        (PLAIN, "http://[fd00:ec2::23]/v1/credentials", "an address of this machine or its cloud"),
        (SECURE, "https://0.0.0.0/blob", "an address of this machine or its cloud"),
        (SECURE, "https://[::ffff:169.254.169.254]/blob", "an address of this machine or its cloud"),
        (PLAIN, "http://169.254.169.254/latest/meta-data/", "an address of this machine or its cloud"),
        (PLAIN, "http://metadata.google.internal/computeMetadata/v1/", "an address of this machine or its cloud"),
        (PLAIN, "http://100.100.100.200/latest/", "an address of this machine or its cloud"),
        ("http://10.0.0.5:5000/v2/", "http://169.254.169.254/latest/", "an address of this machine or its cloud"),
        (SECURE, "file:///etc/passwd", "what is not a URL of http or https"),
        (SECURE, "https:///blob", "what is not a URL of http or https"),
        (SECURE, "https://storage.example.net:x/blob", "what is not a URL of http or https"),
        (SECURE, "https://storage.example.net:99999/blob", "what is not a URL of http or https"),
        (SECURE, "https://a..b/blob", "what is not a URL of http or https"),
        (SECURE, f"https://{'a' * 70}.example.net/blob", "what is not a URL of http or https"),
        (SECURE, "https://robot:secret@storage.example.net/blob", "a URL with a login in it"),
    ],
)
def test_a_redirect_that_is_not_followed(url: str, target: str, says: str) -> None:
    assert says in find_redirect_fault(url, target, is_plain)


@pytest.mark.parametrize(
    ("url", "realm", "has_login"),
    [
        ("https://registry-1.docker.io/v2/", "https://auth.docker.io/token", True),
        ("https://registry.gitlab.com/v2/", "https://gitlab.com/jwt/auth", True),
        ("https://10.0.0.7/v2/", "https://10.0.0.8/service/token", True),
        ("https://10.0.0.7/v2/", "https://10.0.0.7:8443/service/token", True),
        (PLAIN, "http://tokens.corp:5001/auth", True),
        (PLAIN, "http://others.corp:5001/auth", False),
    ],
)
def test_a_token_server_that_is_asked(url: str, realm: str, *, has_login: bool) -> None:
    assert not find_realm_fault(url, realm, is_plain, has_login=has_login)


@pytest.mark.parametrize(
    ("url", "realm", "has_login", "says"),
    [
        (SECURE, "http://auth.example.com/token", True, "names auth.example.com .* without TLS"),
        (SECURE, "http://auth.example.com/token", False, "names auth.example.com .* without TLS"),
        (PLAIN, "http://others.corp:5001/auth", True, "names others.corp:5001 .* without TLS"),
        (SECURE, "https://169.254.169.254/token", True, "an address inside this network"),
        (SECURE, "https://10.1.2.3/token", True, "an address inside this network"),
        (SECURE, "https://127.0.0.1:2375/token", False, "an address inside this network"),
        (SECURE, "https://[fe80::1]/token", False, "an address inside this network"),
        (SECURE, "https://localhost/token", False, "an address inside this network"),
        (SECURE, "https://localhost./token", False, "an address inside this network"),
        (SECURE, "https://168.63.129.16/token", False, "an address inside this network"),
        ("http://10.0.0.5:5000/v2/", "http://169.254.169.254/latest/", False, "an address inside this network"),
        (SECURE, "gopher://auth.example.com/", True, "not a URL of http or https"),
        (SECURE, "/token", True, "not a URL of http or https"),
    ],
)
def test_a_token_server_that_is_not_asked(url: str, realm: str, *, has_login: bool, says: str) -> None:
    assert re.search(says, find_realm_fault(url, realm, is_plain, has_login=has_login))


@pytest.mark.parametrize(
    ("url", "other", "same"),
    [
        ("https://r.example.com/v2/", "https://R.example.com:443/other", True),
        ("https://r.example.com/v2/", "https://r.example.com:5000/", False),
        ("https://r.example.com/v2/", "http://r.example.com:443/", False),
        ("https://r.example.com/v2/", "https://r.example.com.evil.io/", False),
    ],
)
def test_scheme_host_and_port_make_an_origin(url: str, other: str, *, same: bool) -> None:
    assert (find_origin(url) == find_origin(other)) is same


@pytest.mark.parametrize(
    ("peer", "sender", "forbidden"),
    [
        ("169.254.169.254", "10.0.0.5", True),
        ("fe80::1%eth0", "registry.example.com", True),
        ("fd00:ec2::254", "registry.example.com", True),
        ("fd00:ec2::23", "registry.example.com", True),  # EKS Pod Identity
        ("fd20:ce::254", "registry.example.com", True),  # Google
        ("168.63.129.16", "registry.example.com", True),  # Azure
        ("100.100.100.200", "127.0.0.1", True),
        ("127.0.0.1", "registry.example.com", True),
        ("127.0.0.1", "10.0.0.5", True),
        ("0.0.0.0", "registry.example.com", True),  # noqa: S104 -- an address that is refused
        ("::ffff:127.0.0.1", "registry.example.com", True),
        ("64:ff9b::a9fe:a9fe", "registry.example.com", True),  # 169.254.169.254 by NAT64
        ("64:ff9b::5db8:d822", "registry.example.com", False),
        ("127.0.0.1", "localhost", False),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.1", "registry.example.com", False),
        ("93.184.216.34", "registry.example.com", False),
    ],
)
def test_an_address_that_a_sender_may_not_lead_to(peer: str, sender: str, *, forbidden: bool) -> None:
    assert is_forbidden(peer, sender) is forbidden


class Connected(socket.socket):
    """A connection to whatever address a name led to."""

    def __init__(self, peer: str) -> None:
        super().__init__()
        self.peer = peer
        self.is_closed = False

    def getpeername(self) -> tuple[str, int]:
        return self.peer, 443

    def close(self) -> None:
        self.is_closed = True
        super().close()


@pytest.mark.parametrize(
    ("host", "peer", "sender", "may"),
    [
        ("registry.example.com", "93.184.216.34", "", True),
        ("registry.kind", "127.0.0.1", "", True),  # a registry that the image list names
        ("registry.example.com", "169.254.169.254", "", False),
        ("169.254.1.1", "169.254.1.1", "", True),
        ("evil.example.com", "127.0.0.1", "registry.example.com", False),
        ("2130706433", "127.0.0.1", "registry.example.com", False),
        ("127.1", "127.0.0.1", "registry.example.com", False),
        ("ip6-localhost", "::1", "registry.example.com", False),
        ("storage.example.net", "10.0.0.7", "registry.example.com", True),
        ("localhost", "127.0.0.1", "127.0.0.1", True),
    ],
)
def test_what_a_name_resolves_to_is_looked_at_where_the_connection_is_made(
    host: str, peer: str, sender: str, *, may: bool
) -> None:
    patience = Patience(1, 1, threading.Event())
    patience.led.by = sender
    with Connected(peer) as connected:
        if may:
            assert check_peer(connected, host, patience) is connected
            return
        with pytest.raises(ForbiddenPeerError, match=f"{host} leads to {peer}"):
            check_peer(connected, host, patience)
        assert connected.is_closed


def challenge(realm: str) -> Reply:
    return Reply(401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="r"'})


@pytest.mark.parametrize("asks", ["bearer", "basic"])
def test_the_password_of_one_host_goes_nowhere_by_way_of_another(
    serve: Servers, open_registry: Opened, asks: str
) -> None:
    thief = serve(Reply(body=b'{"token": "t"}'))
    challenged = (
        challenge(f"http://{thief.host}/token")
        if asks == "bearer"
        else Reply(401, {"WWW-Authenticate": 'Basic realm="b"'})
    )
    other = serve(challenged)
    server = serve(Reply(307, {"Location": f"http://{other.host}/v2/shop/api/manifests/1.0"}))
    config = {"auths": login(server.host)["auths"] | login(other.host, "other", "other-password")["auths"]}  # type: ignore[operator]
    registry = open_registry(server.host, other.host, thief.host, config=config)
    with pytest.raises(RegistryError) as caught:
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert str(caught.value) == (
        f"pull refused: 401 from {other.host}; {server.host} redirects to {other.host}, which asks for credentials;"
        f" those of {server.host} are for {server.host} alone"
    )
    assert not thief.asked
    assert not any("Authorization" in each.headers for each in (*server.asked, *other.asked))


def test_a_login_stays_with_its_host_when_a_redirect_comes_after_it(serve: Servers, open_registry: Opened) -> None:
    other = serve(Reply(401, {"WWW-Authenticate": 'Basic realm="b"'}))

    def guard(asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != basic("robot", PASSWORD):
            return Reply(401, {"WWW-Authenticate": 'Basic realm="a"'})
        return Reply(307, {"Location": f"http://{other.host}/kept"})

    server = serve(guard)
    registry = open_registry(server.host, other.host, config=login(server.host))
    with pytest.raises(RegistryError, match="which asks for credentials"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert not any("Authorization" in each.headers for each in other.asked)


def test_a_redirect_on_the_same_host_keeps_the_login(serve: Servers, open_registry: Opened) -> None:
    def guard(asked: Asked) -> Reply:
        if asked.headers.get("Authorization") != basic("robot", PASSWORD):
            return Reply(401, {"WWW-Authenticate": 'Basic realm="a"'})
        return HERE if asked.path == "/moved" else Reply(307, {"Location": "/moved"})

    server = serve(guard)
    registry = open_registry(server.host, config=login(server.host))
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


def test_a_token_server_that_sends_us_on_is_not_followed(serve: Servers, open_registry: Opened) -> None:
    other = serve(Reply(body=b'{"token": "of-somebody-inside"}'))
    tokens = serve(Reply(302, {"Location": f"http://{other.host}/inside"}))
    server = serve(challenge(f"http://{tokens.host}/token"))
    registry = open_registry(server.host, tokens.host, config=login(server.host))
    with pytest.raises(RegistryError, match=f"{tokens.host} sends us to {other.host} for a token"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 1, "what another host gave is not sent to the registry"
    assert not any("Authorization" in each.headers for each in other.asked)


def test_an_upload_that_another_host_is_named_for_stays_with_ours(serve: Servers, open_registry: Opened) -> None:
    other = serve(Reply(204))
    server = serve(Reply(202, {"Location": f"http://{other.host}/v2/shop/api/blobs/uploads/17"}), Reply(204))
    open_registry(server.host, config=login(server.host)).check_push(f"{server.host}/shop/api")
    assert not other.asked


def test_a_head_that_never_ends_is_left_when_the_run_is_stopped(open_registry: Opened) -> None:
    """One byte after another: each is within the time for the next bytes."""
    registry, server = open_registry, HttpServer(lambda _: Reply(dripping=True))
    with server.serving():
        asker = registry(server.host, stop_seconds=0.05)
        threading.Timer(0.2, registry.stop.set).start()
        with pytest.raises(RegistryError, match=r"^stopped before the registry answered$"):
            asker.find_digest(f"{server.host}/shop/api", "1.0")


def test_a_head_that_never_ends_is_left_when_its_time_is_over(open_registry: Opened) -> None:
    server = HttpServer(lambda _: Reply(dripping=True))
    with server.serving():
        asker = open_registry(server.host, pace=open_registry.pace(tries=1, exchange_seconds=0.3))
        with pytest.raises(RegistryError, match=f"^{server.host} does not answer in time$"):
            asker.find_digest(f"{server.host}/shop/api", "1.0")
