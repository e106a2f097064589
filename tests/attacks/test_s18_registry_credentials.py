"""S18: a registry that sends us elsewhere for a login. What is for one host goes to no other, and never without TLS."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cli.patch_ground import Ground, open_ground
from tests.patcher.http_server import HttpServer, Reply

SECRET = base64.b64encode(b"robot:password-of-the-registry").decode()
OTHER_SECRET = base64.b64encode(b"other:password-of-the-other").decode()
RUN_SECONDS = 120


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.fixture
def ground(tmp_path: Path, stack: ExitStack) -> Ground:
    return stack.enter_context(open_ground(tmp_path))


def serve(stack: ExitStack, reply: Reply) -> HttpServer:
    return stack.enter_context(HttpServer(lambda _: reply).serving())


def run(ground: Ground, *plain: HttpServer) -> str:
    """Run the patcher in a process of its own; gives what it said of the image."""
    ground.have_listed("1.0")
    flags = [word for server in plain for word in ("--plain-http", server.host)]
    process = ground.start("-o", "json", *flags)
    said, log = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 1, log
    message: str = json.loads(said)["images"][0]["message"]
    assert not any(secret in said + log for secret in (SECRET, OTHER_SECRET))
    return message


def log_in(ground: Ground, other: HttpServer) -> None:
    auths = {ground.registry.host: {"auth": SECRET}, other.host: {"auth": OTHER_SECRET}}
    (ground.directory / "config.json").write_text(json.dumps({"auths": auths}))


@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_challenge_behind_a_redirect_gets_no_password(ground: Ground, stack: ExitStack, scheme: str) -> None:
    thief = serve(stack, Reply(body=b'{"token": "t"}'))
    challenge = f'{scheme} realm="http://{thief.host}/token",service="r"'
    other = serve(stack, Reply(401, {"WWW-Authenticate": challenge}))
    ground.registry.answer = lambda _: Reply(307, {"Location": f"http://{other.host}/elsewhere"})
    log_in(ground, other)
    message = run(ground, other, thief)
    assert f"{ground.registry.host} redirects to {other.host}, which asks for credentials" in message
    assert other.asked
    assert not thief.asked
    assert not any("Authorization" in asked.headers for asked in (*ground.registry.asked, *other.asked))


def test_a_realm_without_tls_gets_nothing(ground: Ground, stack: ExitStack) -> None:
    thief = serve(stack, Reply(body=b'{"token": "t"}'))
    challenge = f'Bearer realm="http://{thief.host}/token",service="r"'
    ground.registry.answer = lambda _: Reply(401, {"WWW-Authenticate": challenge})
    log_in(ground, thief)
    message = run(ground)
    assert f"names {thief.host} as the server that gives tokens, without TLS: it is not asked" in message
    assert not thief.asked


def test_the_addresses_of_a_clouds_metadata_are_never_asked(ground: Ground, stack: ExitStack) -> None:
    other = serve(stack, Reply())
    ground.registry.answer = lambda _: Reply(307, {"Location": "http://169.254.169.254/latest/meta-data/"})
    log_in(ground, other)
    assert "redirects to 169.254.169.254, an address of this machine or its cloud" in run(ground)
    challenge = 'Bearer realm="https://169.254.169.254/token",service="r"'
    ground.registry.answer = lambda _: Reply(401, {"WWW-Authenticate": challenge})
    assert "names 169.254.169.254 as the server that gives tokens" in run(ground)
