"""Who we are at a registry: Basic, tokens, identity tokens, helpers; and that nobody else hears of it."""

import base64
import json
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from patchgate.errors import RegistryError
from patchgate.patcher.oci.credentials import Credentials, find_docker_config
from patchgate.patcher.oci.docker_config import Login
from tests.patcher.http_server import Asked, HttpServer, Reply
from tests.patcher.oci.conftest import PASSWORD, Opened, Servers, basic, login
from tests.world import digest

DIGEST = digest("api")
HERE = Reply(200, {"Docker-Content-Digest": DIGEST})
ASKS_BASIC = Reply(401, {"WWW-Authenticate": 'Basic realm="registry, quoted"'})


def guard(asked: Asked) -> Reply:
    """Asks for name and password."""
    return HERE if asked.headers.get("Authorization") == basic("robot", PASSWORD) else ASKS_BASIC


def test_a_login_is_given_when_it_is_asked_for_and_then_at_once(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    registry = open_registry(server.host, config=login(server.host))
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    assert registry.find_digest(f"{server.host}/shop/api", DIGEST) == DIGEST
    assert ["Authorization" in each.headers for each in server.asked] == [False, True, True]


def test_one_login_serves_every_repository_of_a_registry(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    registry = open_registry(server.host, config=login(server.host))
    for path in ("shop/api", "shop/worker", "shop/web"):
        assert registry.find_digest(f"{server.host}/{path}", "1.0") == DIGEST
    assert len(server.asked) == 4


def test_without_a_login_the_message_says_where_to_add_it(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    message = (
        rf"^pull refused: 401 from {server.host}; the docker config has no credentials for {server.host}: add them"
        r" \(or shop/api does not exist\)$"
    )
    with pytest.raises(RegistryError, match=message):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_wrong_login_is_tried_once_and_not_shown(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    registry = open_registry(server.host, config=login(server.host, password="wrong-password"))  # noqa: S106
    with pytest.raises(RegistryError) as caught:
        registry.check_push(f"{server.host}/shop/api")
    assert str(caught.value) == (
        f"push refused: 401 from {server.host}; the credentials for {server.host} are wrong, expired, or lack the right"
        " to push to shop/api"
    )
    assert len(server.asked) == 2


def test_a_login_that_lacks_the_right_to_push_says_which_right(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(403, body=b'{"errors":[{"code":"DENIED","message":"no pushes for token=abcdefgh"}]}'))
    with pytest.raises(RegistryError) as caught:
        open_registry(server.host).check_push(f"{server.host}/shop/api")
    assert str(caught.value) == (
        f"push refused: 403 from {server.host}; give the credentials the right to push to shop/api"
        " (it says: DENIED: no pushes for token=***)"
    )


def test_a_secret_that_a_registry_says_back_is_not_shown(serve: Servers, open_registry: Opened) -> None:
    def say_back(asked: Asked) -> Reply:
        sent = asked.headers.get("Authorization", "")
        if not sent:
            return Reply(401, {"WWW-Authenticate": 'Basic realm="r"'})
        return Reply(
            403, body=json.dumps({"errors": [{"code": "DENIED", "message": f"no: {sent} pw-in-clear"}]}).encode()
        )

    server = serve(say_back)
    registry = open_registry(server.host, config=login(server.host, password="pw-in-clear"))  # noqa: S106
    with pytest.raises(RegistryError) as caught:
        registry.check_push(f"{server.host}/shop/api")
    assert str(caught.value).endswith("(it says: DENIED: no: Basic *** ***)")


class TokenServer:
    """A registry that wants a token, and gives them itself. Tokens serve `uses` times."""

    def __init__(self, uses: int = 1000) -> None:
        self.uses = uses
        self.given: list[dict[str, list[str]]] = []
        self.left: dict[str, int] = {}
        self.server: HttpServer | None = None

    def __call__(self, asked: Asked) -> Reply:
        assert self.server
        if asked.path.startswith("/token"):
            return self._give(asked)
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.left.get(token, 0) > 0:
            self.left[token] -= 1
            return HERE if asked.method == "HEAD" else Reply(202, {"Location": "/v2/shop/api/blobs/uploads/1"})
        realm = f'Bearer realm="http://{self.server.host}/token",service="registry, of tests"'
        return Reply(401, {"WWW-Authenticate": realm})

    def _give(self, asked: Asked) -> Reply:
        query = asked.body.decode() if asked.method == "POST" else urlsplit(asked.path).query
        self.given.append(parse_qs(query))
        wanted = asked.headers.get("Authorization")
        if asked.method == "GET" and wanted not in (None, basic("robot", PASSWORD)):
            return Reply(401)
        token = f"token-{len(self.given)}"
        self.left[token] = self.uses
        kind = "access_token" if asked.method == "POST" else "token"
        return Reply(body=json.dumps({kind: token}).encode())


def serve_tokens(serve: Servers, tokens: TokenServer) -> HttpServer:
    tokens.server = serve(tokens)
    return tokens.server


def test_a_token_is_fetched_once_for_a_scope(serve: Servers, open_registry: Opened) -> None:
    tokens = TokenServer()
    server = serve_tokens(serve, tokens)
    registry = open_registry(server.host, config=login(server.host))
    for _ in range(3):
        assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    registry.check_push(f"{server.host}/shop/api")
    assert tokens.given == [
        {"service": ["registry, of tests"], "scope": ["repository:shop/api:pull"]},
        {"service": ["registry, of tests"], "scope": ["repository:shop/api:pull,push"]},
    ]


def test_a_token_that_has_expired_is_fetched_anew(serve: Servers, open_registry: Opened) -> None:
    tokens = TokenServer(uses=1)
    server = serve_tokens(serve, tokens)
    registry = open_registry(server.host)
    assert [registry.find_digest(f"{server.host}/shop/api", "1.0") for _ in range(2)] == [DIGEST, DIGEST]
    assert len(tokens.given) == 2


def test_a_token_that_serves_nothing_is_not_fetched_for_ever(serve: Servers, open_registry: Opened) -> None:
    tokens = TokenServer(uses=0)
    server = serve_tokens(serve, tokens)
    with pytest.raises(RegistryError, match="pull refused: 401"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")
    assert len(tokens.given) == 1


def test_a_login_that_gets_no_token_is_refused(serve: Servers, open_registry: Opened) -> None:
    server = serve_tokens(serve, TokenServer())
    registry = open_registry(server.host, config=login(server.host, password="wrong-password"))  # noqa: S106
    with pytest.raises(RegistryError, match=r"are wrong, expired, or lack the right to pull from shop/api$"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")


def test_an_identity_token_is_changed_for_others(serve: Servers, open_registry: Opened) -> None:
    tokens = TokenServer()
    server = serve_tokens(serve, tokens)
    registry = open_registry(server.host, config={"auths": {server.host: {"identitytoken": "refresh-me"}}})
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST
    assert tokens.given[0]["refresh_token"] == ["refresh-me"]
    assert tokens.given[0]["grant_type"] == ["refresh_token"]


def test_a_login_never_goes_to_a_realm_without_tls(serve: Servers, open_registry: Opened) -> None:
    thief = serve(Reply(body=b'{"token": "t"}'))
    server = serve(Reply(401, {"WWW-Authenticate": f'Bearer realm="http://{thief.host}/token"'}))
    registry = open_registry(server.host, config=login(server.host))
    with pytest.raises(RegistryError, match=f"names {thief.host} as the server that gives tokens, without TLS"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert not thief.asked


@pytest.mark.parametrize("body", [b"", b"[]", b'{"token": 5}', b'{"token": "a\\nb"}', b'{"tok": "a"}'])
def test_a_token_that_is_none_is_refused(serve: Servers, open_registry: Opened, body: bytes) -> None:
    realm = serve(Reply(body=body))
    server = serve(Reply(401, {"WWW-Authenticate": f'Bearer realm="http://{realm.host}/token"'}))
    with pytest.raises(RegistryError, match="gives no token that can be read"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def test_a_challenge_that_nobody_knows_stays_a_refusal(serve: Servers, open_registry: Opened) -> None:
    server = serve(Reply(401, {"WWW-Authenticate": "Negotiate"}))
    with pytest.raises(RegistryError, match="pull refused: 401"):
        open_registry(server.host).find_digest(f"{server.host}/shop/api", "1.0")


def write_helper(directory: Path, script: str) -> None:
    helper = directory / "docker-credential-tests"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(stat.S_IRWXU)


def test_a_helper_of_the_registry_is_asked(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    write_helper(
        open_registry.directory,
        f'[ "$(cat)" = "{server.host}" ] && echo \'{{"Username": "robot", "Secret": "{PASSWORD}"}}\'',
    )
    registry = open_registry(server.host, config={"credHelpers": {server.host: "tests"}} | login(server.host, "other"))
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


def test_the_store_is_asked_for_what_auths_do_not_hold(serve: Servers, open_registry: Opened) -> None:
    server = serve(guard)
    write_helper(open_registry.directory, f'echo \'{{"Username": "robot", "Secret": "{PASSWORD}"}}\'')
    registry = open_registry(server.host, config={"credsStore": "tests", "auths": {server.host: {}}})
    assert registry.find_digest(f"{server.host}/shop/api", "1.0") == DIGEST


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo 'credentials not found in native keychain'; exit 1", "has no credentials for"),
        ("echo my-secret; echo my-secret >&2; exit 3", r"gives no credentials for .* \(exit code 3\): run it by hand"),
        ("echo my-secret", "does not answer as a docker credential helper"),
    ],
)
def test_a_helper_that_fails_is_named_and_not_quoted(
    serve: Servers, open_registry: Opened, script: str, says: str
) -> None:
    server = serve(guard)
    write_helper(open_registry.directory, f"cat > /dev/null; {script}")
    registry = open_registry(server.host, config={"credHelpers": {server.host: "tests"}})
    with pytest.raises(RegistryError, match=says) as caught:
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert "my-secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["missing", "../bin/sh", "a b"])
def test_a_helper_that_is_not_there_is_named(serve: Servers, open_registry: Opened, name: str) -> None:
    server = serve(guard)
    registry = open_registry(server.host, config={"credsStore": name})
    with pytest.raises(RegistryError, match=r"cannot start docker-credential-missing|credential helper that cannot be"):
        registry.find_digest(f"{server.host}/shop/api", "1.0")


@pytest.mark.parametrize("config", ["{", "[]", '{"auths": []}', '{"auths": {"a": "cGFzc3dvcmQ="}}'])
def test_a_config_that_is_none_is_named_and_not_quoted(serve: Servers, open_registry: Opened, config: str) -> None:
    server = serve(guard)
    registry = open_registry(server.host)
    (open_registry.directory / "config.json").write_text(config)
    with pytest.raises(RegistryError, match=r"the docker config .*config\.json is wrong") as caught:
        registry.find_digest(f"{server.host}/shop/api", "1.0")
    assert "cGFzc3dvcmQ" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
    ],
)
def test_a_login_is_found_under_every_name_that_docker_knows(
    tmp_path: Path, open_registry: Opened, key: str, registry: str
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(login(key)))
    assert Credentials(tmp_path, {}, open_registry.stop).find(registry) == Login("robot", PASSWORD)


def test_a_login_of_another_registry_is_none_of_this_one(tmp_path: Path, open_registry: Opened) -> None:
    (tmp_path / "config.json").write_text(json.dumps(login("registry.example.com.evil.io")))
    assert Credentials(tmp_path, {}, open_registry.stop).find("registry.example.com") is None


def test_every_secret_of_the_config_is_known_and_never_shown(tmp_path: Path, open_registry: Opened) -> None:
    (tmp_path / "config.json").write_text(json.dumps(login("registry.example.com")))
    credentials = Credentials(tmp_path, {}, open_registry.stop)
    credentials.learn_secrets()
    assert credentials.secrets == {PASSWORD, base64.b64encode(f"robot:{PASSWORD}".encode()).decode()}
    assert PASSWORD not in repr(credentials.find("registry.example.com"))


def test_the_docker_config_is_where_docker_looks_for_it() -> None:
    assert find_docker_config({"DOCKER_CONFIG": "/run/docker", "HOME": "/root"}) == Path("/run/docker")
    assert find_docker_config({"HOME": "/home/me"}) == Path("/home/me/.docker")
