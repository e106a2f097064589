"""Registries that fail, are slow, busy or gone; and what goes on redirects."""

import re
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme

from patchgate.errors import RegistryError
from patchgate.limits import MANIFEST_ANSWER_BYTES
from patchgate.patcher.oci.registry import TAG_PAGE_BYTES
from patchgate.patcher.oci.retry import Pace
from tests.patcher.http_server import CLOSED, SILENT, HttpServer, Reply
from tests.patcher.oci.conftest import PASSWORD, Opened, Servers, basic, login
from tests.world import digest

DIGEST = digest("api")
HERE = Reply(200, {"Docker-Content-Digest": DIGEST})


@pytest.mark.parametrize("fault", [Reply(500), Reply(502), Reply(503), Reply(504), Reply(429), CLOSED])
def test_what_may_pass_is_tried_again(serve: Servers, open_registry: Opened, fault: Reply) -> None:
    server = serve(fault, fault, HERE)
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    assert server.seen == ["HEAD /v2/shop/api/manifests/1.0"] * 3


@pytest.mark.parametrize("fault", [Reply(403), Reply(400), Reply(418)])
def test_what_will_not_pass_is_not_tried_again(serve: Servers, open_registry: Opened, fault: Reply) -> None:
    server = serve(fault)
    with pytest.raises(RegistryError, match=f"pull refused: {fault.status} from {server.host}"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 1


def test_a_registry_that_goes_on_failing_is_given_up(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(503))
    with pytest.raises(RegistryError, match=rf"^pull refused: 503 from {server.host}; it fails: look at its log$"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 3


@pytest.mark.parametrize("fault", [Reply(503), Reply(429), CLOSED])
def test_a_registry_that_was_given_up_is_tried_once_until_it_answers(
    serve: Servers, open_registry: Opened, fault: Reply
) -> None:
    server = serve(*[fault] * 4, HERE, fault, HERE)
    registry, repository = open_registry(server.host), f"{server.host}/shop/api"
    for tries in (3, 4):
        with pytest.raises(RegistryError):
            registry.find_digest(repository, "1.0")
        assert len(server.asked) == tries
    assert registry.find_digest(repository, "1.0") == DIGEST
    assert registry.find_digest(repository, "1.0") == DIGEST, "and is tried again then"
    assert len(server.asked) == 7


def test_retry_after_in_seconds_is_heeded(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(429, {"Retry-After": "1"}), HERE)
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


def test_a_longer_retry_after_than_a_run_can_wait_is_said(serve: Servers, open_registry: Opened) -> None:
    server = serve(
        Reply(429, {"Retry-After": "3600"}, b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}')
    )
    message = (
        rf"^pull refused: 429 from {server.host}; too many requests, it asks to wait 3600 s: ask less often, or log in$"
    )
    with pytest.raises(RegistryError, match=message):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 1


def test_retry_after_as_a_date_is_understood(serve: Servers, open_registry: Opened) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server = serve(Reply(429, {"Retry-After": date}))
    with pytest.raises(RegistryError, match=r"it asks to wait 3[56]\d\d s"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_retry_after_that_is_none_is_passed_over(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(429, {"Retry-After": "soon"}), HERE)
    assert open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


def test_a_silent_registry_is_not_waited_for_for_ever(serve: Servers, open_registry: Opened) -> None:
    server = serve(SILENT)
    registry = open_registry(server.host, pace=Pace(tries=2, read_seconds=0.1, first_pause_seconds=0.001))
    with pytest.raises(RegistryError, match=f"^{server.host} does not answer in time$"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 2


def test_a_registry_that_is_gone_is_named(open_registry: Opened) -> None:
    server = HttpServer(lambda _: HERE)
    with server.serving():
        host = server.host
    with pytest.raises(RegistryError, match=rf"^{host} takes no connection; does it run\?$"):
        open_registry(host).find_digest(f"{host}/shop/api", "1.0")


def test_a_host_that_does_not_exist_is_named(open_registry: Opened) -> None:
    with pytest.raises(RegistryError, match=r"^no-such-host\.invalid: there is no such host$"):
        open_registry().find_digest("no-such-host.invalid/shop/api", "1.0")


def test_a_body_cut_short_is_asked_for_again(serve: Servers, open_registry: Opened) -> None:
    page = b'{"tags":["1.0","1.1"]}'
    server = serve(Reply(body=page, cut_at=5), Reply(body=page))
    assert list(open_registry(server.host).list_tags(f"{server.host}/shop/api")) == ["1.0", "1.1"]


def test_a_body_without_end_is_not_read(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(body=b" " * (MANIFEST_ANSWER_BYTES + 1)))
    with pytest.raises(RegistryError, match=f"answers with more than {MANIFEST_ANSWER_BYTES} bytes"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_page_of_tags_without_end_is_not_read(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(body=b" " * (TAG_PAGE_BYTES + 1)))
    with pytest.raises(RegistryError, match=f"answers with more than {TAG_PAGE_BYTES} bytes"):
        list(open_registry(server.host).list_tags(f"{server.host}/shop/api"))


def test_a_stopped_patcher_does_not_wait(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(503))
    open_registry.stop.set()
    with pytest.raises(RegistryError, match=r"^stopped before the registry answered$"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")
    assert len(server.asked) == 1


def test_a_redirect_is_followed_without_our_credentials(serve: Servers, open_registry: Opened) -> None:
    elsewhere = serve(HERE)
    server = serve(
        Reply(401, {"WWW-Authenticate": 'Basic realm="here"'}),
        Reply(307, {"Location": f"http://{elsewhere.host}/kept/api"}),
    )
    registry = open_registry(server.host, config=login(server.host))
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    assert server.asked[1].headers["Authorization"] == basic("robot", PASSWORD)
    assert elsewhere.seen == ["HEAD /kept/api"]
    assert "Authorization" not in elsewhere.asked[0].headers


def test_a_redirect_in_circles_ends(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(307, {"Location": "/v2/again"}))
    with pytest.raises(RegistryError, match=f"^{server.host} redirects round and round$"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_push_is_never_redirected(serve: Servers, open_registry: Opened) -> None:
    elsewhere = serve(Reply(202))
    server = serve(Reply(307, {"Location": f"http://{elsewhere.host}/v2/shop/api/blobs/uploads/"}))
    with pytest.raises(RegistryError, match="push refused: 307"):
        open_registry(server.host).check_push(f"{server.host}/shop/api")
    assert not elsewhere.asked


def test_a_proxy_is_used_where_the_environment_names_one(serve: Servers, open_registry: Opened) -> None:
    proxy = serve(HERE)
    registry = open_registry("registry.example.com", environment={"http_proxy": f"http://{proxy.host}"})
    assert registry.find_digest("registry.example.com/shop/api", "1.0") == DIGEST
    assert proxy.seen == ["HEAD http://registry.example.com/v2/shop/api/manifests/1.0"]


def test_a_proxy_gets_the_login_that_its_url_has(serve: Servers, open_registry: Opened) -> None:
    proxy = serve(HERE)
    registry = open_registry("registry.example.com", environment={"http_proxy": f"http://me:p%40ss@{proxy.host}"})
    assert registry.find_digest("registry.example.com/shop/api", "1.0") == DIGEST
    assert proxy.asked[0].headers["Proxy-Authorization"] == basic("me", "p@ss")


def test_a_host_of_no_proxy_is_asked_straight(serve: Servers, open_registry: Opened) -> None:
    proxy, server = serve(Reply(502)), serve(HERE)
    environment = {"HTTP_PROXY": f"http://{proxy.host}", "NO_PROXY": "127.0.0.1"}
    registry = open_registry(server.host, environment=environment)
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    assert not proxy.asked


@pytest.fixture
def tls_server() -> tuple[trustme.CA, ssl.SSLContext]:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    return ca, context


def test_an_untrusted_certificate_says_what_to_do(
    open_registry: Opened, tls_server: tuple[trustme.CA, ssl.SSLContext]
) -> None:
    server = HttpServer(lambda _: HERE)
    with (
        server.serving(tls_server[1]),
        pytest.raises(RegistryError, match=f"^the certificate of {server.host} is not trusted: .* SSL_CERT_FILE$"),
    ):
        open_registry().find_digest(f"{server.host}/shop/api", "1.0")


def test_a_ca_of_ones_own_is_trusted(
    open_registry: Opened, tls_server: tuple[trustme.CA, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_registry.directory / "ca.crt"
    tls_server[0].cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    server = HttpServer(lambda _: HERE)
    with server.serving(tls_server[1]):
        assert open_registry().find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


def test_tls_to_a_plain_registry_names_the_setting(serve: Servers, open_registry: Opened) -> None:
    server = serve(HERE)
    message = re.escape(f"{server.host} does not speak TLS; name it with --plain-http if that is meant")
    with pytest.raises(RegistryError, match=f"^{message}$"):
        open_registry(server.host, plain=False).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_redirect_from_tls_to_plain_http_is_not_followed(
    serve: Servers,
    open_registry: Opened,
    tls_server: tuple[trustme.CA, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = open_registry.directory / "ca.crt"
    tls_server[0].cert_pem.write_to_path(bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    plain = serve(HERE)
    server = HttpServer(lambda _: Reply(307, {"Location": f"http://{plain.host}/kept"}))
    with (
        server.serving(tls_server[1]),
        pytest.raises(RegistryError, match=f"redirects to {plain.host} without TLS, which is not followed"),
    ):
        open_registry().find_digest(f"{server.host}/shop/api", "1.0")
    assert not plain.asked
