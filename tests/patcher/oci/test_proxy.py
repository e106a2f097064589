"""Which host is asked through a proxy: Go's rules, as Trivy and Copa follow them; and what a proxy refuses."""

import pytest

from patchgate.errors import RegistryError, SetupError
from patchgate.patcher.oci.proxy import read_proxies
from tests.patcher.http_server import Reply
from tests.patcher.oci.conftest import Opened, Servers
from tests.world import digest

PROXY = "http://proxy.example.com:3128"
HERE = Reply(200, {"Docker-Content-Digest": digest("api")})


def is_straight(no_proxy: str, url: str) -> bool:
    return not read_proxies({"HTTPS_PROXY": PROXY, "HTTP_PROXY": PROXY, "NO_PROXY": no_proxy}).find(url)


@pytest.mark.parametrize(
    ("no_proxy", "url", "straight"),
    [
        # golang.org/x/net/http/httpproxy, proxy_test.go and the documentation of Config.NoProxy
        ("example.com", "https://example.com/", True),
        ("example.com", "https://registry.example.com/", True),
        ("example.com", "https://notexample.com/", False),
        (".example.com", "https://registry.example.com/", True),
        (".example.com", "https://example.com/", False),
        ("*.example.com", "https://registry.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("EXAMPLE.com", "https://Registry.Example.COM/", True),
        (" a.example , b.example ", "https://b.example/", True),
        ("example.com:5000", "https://example.com:5000/", True),
        ("example.com:5000", "https://example.com/", False),
        ("example.com:443", "https://example.com/", True),
        ("example.com:80", "http://example.com/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.0.0.5", "https://10.0.0.5:5000/", True),
        ("10.0.0.5:5000", "https://10.0.0.5/", False),
        ("10.1.2.3/8", "https://10.9.9.9/", True),
        ("fd00::/8", "https://[fd00::1]:5000/", True),
        ("fd00::1", "https://[fd00::1]/", True),
        ("[fd00::1]:5000", "https://[fd00::1]:5000/", True),
        ("[fd00::1]:5000", "https://[fd00::1]/", False),
        ("10.0.0.0/8", "https://[::ffff:10.0.0.1]/", True),
        ("*", "https://anything.example/", True),
        ("a.example,*", "https://anything.example/", True),
        (":5000", "https://example.com:5000/", False),
        ("", "https://example.com/", False),
        ("", "https://localhost:5000/", True),
        ("", "http://127.0.0.1:5000/", True),
        ("", "http://[::1]:5000/", True),
    ],
)
def test_no_proxy_as_go_reads_it(no_proxy: str, url: str, *, straight: bool) -> None:
    assert is_straight(no_proxy, url) is straight


def test_each_scheme_has_its_proxy_and_capitals_win() -> None:
    proxies = read_proxies({"HTTPS_PROXY": "proxy:1", "https_proxy": "http://other:2", "http_proxy": "http://third:3"})
    assert proxies.find("https://r.example.com/") == "http://proxy:1"
    assert proxies.find("http://r.example.com/") == "http://third:3"
    assert not read_proxies({}).find("https://r.example.com/")


@pytest.mark.parametrize("proxy", ["socks5://me:secret-of-mine@proxy:1080", "http://", "http://proxy:port"])
def test_a_proxy_that_is_none_is_named_and_not_shown(open_registry: Opened, proxy: str) -> None:
    with pytest.raises(SetupError, match=r"^HTTPS_PROXY is no proxy that registries can be asked through") as caught:
        open_registry(environment={"HTTPS_PROXY": proxy})
    assert "secret-of-mine" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "does"),
    [(403, "let it lead there, or add registry.example.com to NO_PROXY"), (407, "give its URL a login")],
)
def test_a_proxy_that_does_not_lead_to_a_host_is_named(
    serve: Servers, open_registry: Opened, status: int, does: str
) -> None:
    proxy = serve(Reply(status))
    registry = open_registry(environment={"HTTPS_PROXY": f"http://me:secret-of-mine@{proxy.host}"})
    with pytest.raises(RegistryError) as caught:
        registry.find_digest("registry.example.com/shop/api", "1.0")
    assert (
        str(caught.value)
        == f"the proxy {proxy.host} does not lead to registry.example.com: it answers {status}; {does}"
    )
    assert proxy.seen == ["CONNECT registry.example.com:443"]


def test_what_a_proxy_answers_in_the_place_of_a_registry_names_it(serve: Servers, open_registry: Opened) -> None:
    proxy = serve(Reply(403))
    registry = open_registry("registry.example.com", environment={"HTTP_PROXY": f"http://{proxy.host}"})
    message = f"^pull refused: 403 from registry.example.com by way of the proxy {proxy.host};"
    with pytest.raises(RegistryError, match=message):
        registry.find_digest("registry.example.com/shop/api", "1.0")


def test_a_proxy_that_is_gone_is_named(open_registry: Opened) -> None:
    registry = open_registry(environment={"HTTPS_PROXY": "http://127.0.0.1:1"})
    with pytest.raises(RegistryError, match=r"proxy 127\.0\.0\.1:1|^127\.0\.0\.1:1 takes no connection"):
        registry.find_digest("registry.example.com/shop/api", "1.0")


def test_a_range_in_no_proxy_is_asked_straight(serve: Servers, open_registry: Opened) -> None:
    server, proxy = serve(HERE), serve(Reply(403))
    environment = {"HTTP_PROXY": f"http://{proxy.host}", "NO_PROXY": "127.0.0.0/8"}
    registry = open_registry(server.host, environment=environment)
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == digest("api")
    assert not proxy.asked
