"""Bearer tokens at the doors of /v1/: who is let through, what is remembered, and nobody while it cannot be told."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.responses import PlainTextResponse

from patchgate.errors import RequestError
from patchgate.limits import TOKEN_BYTES, TOKENS_REMEMBERED
from patchgate.server.bearer import Bearer
from patchgate.server.token_memory import TokenMemory

KNOWN = "a.real.token"


@dataclass
class Authority:
    """Knows one token, and counts who asks."""

    asked: list[str] = field(default_factory=list)
    is_gone: bool = False

    async def review(self, token: str) -> bool:
        self.asked.append(token)
        await asyncio.sleep(0)
        if self.is_gone:
            raise RequestError(503, "nobody can say")
        return token == KNOWN


def ask(is_known: Callable[[str], Awaitable[bool]], authorization: bytes | None, path: str = "/v1/decisions") -> object:
    """Ask through the check; gives status, and body or headers of a refusal."""
    app = Bearer(PlainTextResponse("answered"), is_known)
    headers = [(b"authorization", authorization)] if authorization is not None else []
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type] # ASGI's mappings are these
    return sent


def status_of(sent: object) -> object:
    assert isinstance(sent, list)
    return sent[0]["status"]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (b"Bearer a.real.token", 200),
        (b"bearer a.real.token", 200),
        (b"Bearer  a.real.token ", 200),
        (None, 401),
        (b"", 401),
        (b"Bearer", 401),
        (b"Bearer ", 401),
        (b"Basic YTpi", 401),
        (b"a.real.token", 401),
        (b"Bearer made.up", 401),
        (b"Bearer \xff\xfe", 401),
        (b"Bearer " + b"a" * (TOKEN_BYTES + 1), 401),
    ],
)
def test_only_who_is_known_is_answered(authorization: bytes | None, status: int) -> None:
    assert status_of(ask(Authority().review, authorization)) == status


@pytest.mark.parametrize("path", ["/readyz", "/livez", "/validate/enforce"])
def test_other_doors_ask_for_no_token(path: str) -> None:
    assert status_of(ask(Authority().review, None, path)) == 200


def test_a_refusal_says_how_to_ask_and_is_no_leave() -> None:
    sent = ask(Authority().review, b"Bearer made.up")
    assert isinstance(sent, list)
    assert (b"www-authenticate", b"Bearer") in sent[0]["headers"]
    body = json.loads(sent[1]["body"])
    assert (body["allowed"], body["reason"]) == (False, "Unauthorized")
    assert "made.up" not in json.dumps(body)


def test_nobody_is_let_through_while_it_cannot_be_told() -> None:
    assert status_of(ask(Authority(is_gone=True).review, b"Bearer a.real.token")) == 503


class TestMemory:
    def test_what_many_bring_at_a_time_is_asked_once(self) -> None:
        authority = Authority()

        async def bring() -> list[bool]:
            memory = TokenMemory(authority.review)
            return await asyncio.gather(*(memory.is_known(KNOWN) for _ in range(20)))

        assert asyncio.run(bring()) == [True] * 20
        assert authority.asked == [KNOWN]

    def test_both_answers_are_remembered(self) -> None:
        authority = Authority()

        async def bring() -> list[bool]:
            memory = TokenMemory(authority.review)
            return [await memory.is_known(token) for token in (KNOWN, "made.up", KNOWN, "made.up")]

        assert asyncio.run(bring()) == [True, False, True, False]
        assert authority.asked == [KNOWN, "made.up"]

    def test_not_for_ever(self) -> None:
        authority = Authority()

        async def bring() -> None:
            memory = TokenMemory(authority.review, seconds=0)
            assert await memory.is_known(KNOWN)
            assert await memory.is_known(KNOWN)

        asyncio.run(bring())
        assert authority.asked == [KNOWN, KNOWN]

    def test_made_up_tokens_push_out_no_real_one(self) -> None:
        authority = Authority()

        async def bring() -> None:
            memory = TokenMemory(authority.review)
            assert await memory.is_known(KNOWN)
            for number in range(2 * TOKENS_REMEMBERED):
                assert not await memory.is_known(f"made.up.{number}")
            assert await memory.is_known(KNOWN)

        asyncio.run(bring())
        assert authority.asked.count(KNOWN) == 1

    def test_a_failure_is_not_remembered(self) -> None:
        authority = Authority(is_gone=True)

        async def bring() -> bool:
            memory = TokenMemory(authority.review)
            with pytest.raises(RequestError):
                await memory.is_known(KNOWN)
            authority.is_gone = False
            return await memory.is_known(KNOWN)

        assert asyncio.run(bring())

    def test_who_goes_away_takes_the_answer_from_nobody(self) -> None:
        authority = Authority()

        async def bring() -> bool:
            memory = TokenMemory(authority.review)
            first = asyncio.create_task(memory.is_known(KNOWN))
            await asyncio.sleep(0)
            second = asyncio.create_task(memory.is_known(KNOWN))
            await asyncio.sleep(0)
            first.cancel()
            return await second

        assert asyncio.run(bring())
        assert authority.asked == [KNOWN]
