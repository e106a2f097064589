"""Whose bearer tokens are accepted: users who are named, and nobody while kube-apiserver cannot be asked."""

import asyncio
import io
import json
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from patchgate.errors import RequestError, SourceError
from patchgate.gate.log import make_log
from patchgate.gate.settings import KYVERNO_USERS
from patchgate.gate.tokens import TokenAsker
from patchgate.metrics import GateMetrics


def ask(find_user: Callable[[str], str], allowed: tuple[str, ...], *tokens: str) -> tuple[list[bool], list[str]]:
    """Review tokens in turn; gives the answers, and what was logged of users."""
    stream = io.StringIO()

    async def review() -> list[bool]:
        asker = TokenAsker(find_user, allowed, GateMetrics(CollectorRegistry()), make_log(stream))
        try:
            return [await asker.review(token) for token in tokens]
        finally:
            asker.close()

    answers = asyncio.run(review())
    return answers, [json.loads(line)["user"] for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("allowed", "user", "is_allowed"),
    [
        (KYVERNO_USERS, "system:serviceaccount:kyverno:kyverno-admission-controller", True),
        (KYVERNO_USERS, "system:serviceaccount:kyverno:kyverno-admission-controller-2", False),
        (KYVERNO_USERS, "system:serviceaccount:shop:kyverno-admission-controller", False),
        (("system:serviceaccount:kyverno:*",), "system:serviceaccount:kyverno:other", True),
        (("system:serviceaccount:kyverno:*",), "system:serviceaccount:kyverno-2:other", False),
        (("*",), "anyone", True),
        (("*",), "", False),
        ((), "anyone", False),
        (("a", "b"), "b", True),
    ],
)
def test_a_token_is_accepted_of_a_named_user(allowed: tuple[str, ...], user: str, is_allowed: bool) -> None:
    assert ask(lambda _: user, allowed, "token")[0] == [is_allowed]


def test_a_user_who_is_refused_is_logged_once_and_no_more_than_a_hundred_of_them() -> None:
    tokens = [f"user-{number}" for number in range(200) for _ in range(2)]
    answers, logged = ask(lambda token: token, (), *tokens)
    assert answers == [False] * 400
    assert logged == [f"user-{number}" for number in range(100)]


def test_nobody_is_let_in_while_it_cannot_be_told() -> None:
    def fail(_: str) -> str:
        raise SourceError("kube-apiserver is gone")

    with pytest.raises(RequestError) as error:
        ask(fail, ("*",), "token")
    assert error.value.status == 503
